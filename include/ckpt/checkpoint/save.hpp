#ifndef CKPT_CHECKPOINT_SAVE_HPP
#define CKPT_CHECKPOINT_SAVE_HPP

#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <ckpt/checkpoint/checksummed_executor.hpp>
#include <ckpt/checkpoint/executor.hpp>
#include <ckpt/checkpoint/file_name.hpp>
#include <ckpt/checkpoint/in_flight.hpp>
#include <ckpt/checkpoint/options.hpp>
#include <ckpt/checkpoint/policies.hpp>
#include <ckpt/checkpoint/read_ahead.hpp>
#include <ckpt/checkpoint/stopwatch.hpp>
#include <ckpt/checkpoint/write_and_commit.hpp>
#include <ckpt/core/concat.hpp>
#include <ckpt/core/error.hpp>
#include <ckpt/core/function_ref.hpp>
#include <ckpt/format/plan.hpp>
#include <ckpt/io/atomic_file.hpp>
#include <ckpt/io/sink.hpp>
#include <ckpt/model/collect.hpp>
#include <ckpt/model/concepts.hpp>
#include <ckpt/model/entries.hpp>

namespace ckpt {

namespace detail {

inline void check_alignment(std::uint64_t align) {
  constexpr std::uint64_t largest = std::uint64_t{1} << 20;
  if ((align & (align - 1)) != 0 || align > largest)
    throw usage_error(errc::invalid_argument, {},
                      concat({".align is ", std::to_string(align), "; it must be 0 or a power of two up to 1048576"}));
}

/// A save before its first byte: what is saved, the whole file as a plan, and what executes it. Everything that can be
/// wrong has been found.
template <class Policies>
class prepared_save {
 public:
  /// `options`: save_options, or others that have the same members.
  template <save_object Object, class Options = save_options>
  prepared_save(Object& object, const std::string& label, const Options& options)
      : m_entries(label, options.duplicates, options.choose),
        m_plan(make_plan(object, options)),
        m_executor(m_plan, {.key = options.key.get(), .threads = options.threads, .label = label}),
        m_threads(options.threads) {}
  prepared_save(const prepared_save&) = delete;
  prepared_save& operator=(const prepared_save&) = delete;

  /// Bytes of the file.
  [[nodiscard]] std::uint64_t size() const noexcept { return m_executor.size(); }

  /// Says what was written; after execute().
  void describe(save_report& report) const noexcept {
    report.bytes = size();
    report.is_sealed = has_cipher;
    if constexpr (has_checksum) {
      report.has_checksum = m_executor.has_checksum();
      report.checksum = m_executor.checksum();
    }
  }

  /// The plan that is executed.
  [[nodiscard]] ckpt::plan& plan() noexcept { return m_plan; }

  /// Executes the plan; `report(done)` is called with the bytes handed over, at first with 0.
  template <sink Sink>
  void execute(Sink& to, function_ref<void(std::uint64_t)> report) {
    report(0);
    if constexpr (is_plain && std::is_same_v<Sink, atomic_file>) {
      read_ahead ahead(to, m_threads);
      m_executor.run(ahead, report);
    } else {
      m_executor.run(to, report);
    }
  }
  template <sink Sink>
  void execute(Sink& to, const save_options& options) {
    execute(to, [&](std::uint64_t done) {
      if (options.progress) options.progress({.done = done, .total = size()});
    });
  }
  /// The same into an empty vector. (A template so that only who calls it compiles it.)
  template <class Bytes>
  void execute_into(Bytes& bytes, const save_options& options) {
    bytes.reserve(static_cast<std::size_t>(size()));
    memory_sink to(bytes);
    execute(to, options);
  }

 private:
  static constexpr bool has_cipher = !std::is_same_v<typename Policies::cipher, no_cipher>;
  static constexpr bool has_checksum = !has_cipher && !std::is_same_v<typename Policies::checksum, no_checksum>;
  static constexpr bool is_plain = !has_cipher && !has_checksum;

  template <class Object, class Options>
  ckpt::plan make_plan(Object& object, const Options& options) {
    check_key_is_used<typename Policies::cipher>(options.key, m_entries.label());
    check_alignment(options.align);
    collect(m_entries, object);
    options.append.add_to(m_entries);
    if (m_entries.size() == 0 && m_entries.has_left_out())
      throw usage_error(errc::missing, {.path = m_entries.label()}, "choose takes none of the names of what is saved");
    return Policies::format::make_plan(m_entries, {.align = options.align,
                                                   .metadata = options.metadata,
                                                   .format_pair = options.format_pair,
                                                   .checksum = has_checksum});
  }

  entries m_entries;
  ckpt::plan m_plan;
  typename executor_of<typename Policies::cipher, typename Policies::checksum>::type m_executor;
  unsigned m_threads;
};

template <class Object>
constexpr bool check_save_object() noexcept {
  static_assert(save_object<Object> || !save_object<std::remove_const_t<std::remove_reference_t<Object>>&>,
                "ckpt::save: this save object is const, and it cannot be walked as such: declare its "
                "visit_parameters(visitor) or parameters_and_names(), or the data() of what is in it, const");
  static_assert(save_object<std::remove_const_t<std::remove_reference_t<Object>>&>,
                "ckpt::save: this is not a save object. Give it a cell with parameters_and_names() or "
                "visit_parameters(visitor), a range of parameters with name and data, a map of names to tensors or "
                "strings, or specialize "
                "ckpt::tensor_traits for its tensor type");
  return save_object<Object>;
}

}  // namespace detail

/// Saves `object` (see model/concepts.hpp) to a file. The name gets the format's suffix unless it has it. The file is
/// replaced as a whole: until save returns, and whatever it throws, the old one is as it was. Throws usage_error before
/// anything is written, io_error where the system fails, and what a callback throws. Several threads may save at the
/// same time what none of them changes; of those that save to one path, the last one's file stays, whole.
template <class... Policies, class Object>
save_report save(Object&& object, std::string path, const save_options& options = {}) {
  using chosen = policy_set<Policies...>;
  save_report report;
  if constexpr (detail::check_save_object<Object>()) {
    detail::stopwatch watch;
    path = with_suffix(std::move(path), chosen::format::suffix);
    detail::settle_saves_of(path, in_flight::wait);
    detail::prepared_save<chosen> prepared(object, path, options);
    report.seconds_planned = watch.lap();
    atomic_file file(std::move(path), prepared.size(), {.sync = options.durability, .mode = options.permissions});
    detail::write_and_commit(file, watch, report, [&] { prepared.execute(file, options); });
    report.path = file.path();
    prepared.describe(report);
  }
  return report;
}

/// Writes the same bytes to any sink: an object with write(std::span<const std::byte>). A safetensors file with a
/// checksum has it before the data: where the sink has no overwrite(back, bytes), the data is gone through twice.
template <class... Policies, class Object, class Sink>
  requires sink<std::remove_reference_t<Sink>>
save_report save(Object&& object, Sink&& to, const save_options& options = {}) {
  using chosen = policy_set<Policies...>;
  save_report report;
  if constexpr (detail::check_save_object<Object>()) {
    detail::stopwatch watch;
    detail::prepared_save<chosen> prepared(object, "<sink>", options);
    report.seconds_planned = watch.lap();
    prepared.execute(to, options);
    report.seconds_written = watch.lap();
    prepared.describe(report);
  }
  return report;
}

/// The same bytes in memory.
template <class... Policies, class Object>
[[nodiscard]] std::vector<std::byte> save_bytes(Object&& object, const save_options& options = {}) {
  using chosen = policy_set<Policies...>;
  std::vector<std::byte> bytes;
  if constexpr (detail::check_save_object<Object>()) {
    detail::prepared_save<chosen> prepared(object, "<memory>", options);
    prepared.execute_into(bytes, options);
  }
  return bytes;
}

}  // namespace ckpt

#endif
