#ifndef CKPT_CHECKPOINT_SAVE_HPP
#define CKPT_CHECKPOINT_SAVE_HPP

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <ckpt/checkpoint/executor.hpp>
#include <ckpt/checkpoint/file_name.hpp>
#include <ckpt/checkpoint/options.hpp>
#include <ckpt/checkpoint/policies.hpp>
#include <ckpt/core/concat.hpp>
#include <ckpt/core/error.hpp>
#include <ckpt/format/plan.hpp>
#include <ckpt/io/atomic_file.hpp>
#include <ckpt/io/sink.hpp>
#include <ckpt/model/collect.hpp>
#include <ckpt/model/concepts.hpp>
#include <ckpt/model/entries.hpp>

namespace ckpt {

namespace detail {

class stopwatch {
 public:
  /// Seconds since the last lap.
  double lap() noexcept {
    const auto now = std::chrono::steady_clock::now();
    const std::chrono::nanoseconds passed = now - m_last;
    m_last = now;
    return static_cast<double>(passed.count()) * 1e-9;
  }

 private:
  std::chrono::steady_clock::time_point m_last = std::chrono::steady_clock::now();
};

inline void check_alignment(std::uint64_t align) {
  constexpr std::uint64_t largest = std::uint64_t{1} << 20;
  if ((align & (align - 1)) != 0 || align > largest)
    throw usage_error(errc::invalid_argument, {},
                      concat({".align is ", std::to_string(align), "; it must be 0 or a power of two up to 1048576"}));
}

/// A save before its first byte: what is saved, and the whole file as a plan. Everything that can be wrong has been
/// found.
template <file_format Format>
class prepared_save {
 public:
  template <save_object Object>
  prepared_save(Object& object, std::string label, const save_options& options)
      : m_entries(std::move(label), options.duplicates, options.choose) {
    check_alignment(options.align);
    collect(m_entries, object);
    for (const append_value& value : options.append) value.add_to(m_entries);
    m_plan = Format::make_plan(m_entries, {.align = options.align, .metadata = options.metadata});
  }
  prepared_save(const prepared_save&) = delete;
  prepared_save& operator=(const prepared_save&) = delete;

  [[nodiscard]] const ckpt::plan& plan() const noexcept { return m_plan; }

 private:
  entries m_entries;
  ckpt::plan m_plan;
};

template <sink Sink>
void execute(executor& run, std::uint64_t total, Sink& to, const save_options& options) {
  const auto report = [&](std::uint64_t done) {
    if (options.progress) options.progress({.done = done, .total = total});
  };
  report(0);
  run.run(to, report);
}

template <class Object>
constexpr bool check_save_object() noexcept {
  static_assert(save_object<Object> || !save_object<std::remove_const_t<std::remove_reference_t<Object>>&>,
                "ckpt::save: this save object is const, and it cannot be walked as such: declare its "
                "visit_parameters(visitor) or parameters_and_names() const");
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
/// anything is written, io_error where the system fails, and what a callback throws.
template <class... Policies, class Object>
save_report save(Object&& object, std::string path, const save_options& options = {}) {
  using format = typename policy_set<Policies...>::format;
  save_report report;
  if constexpr (detail::check_save_object<Object>()) {
    detail::stopwatch watch;
    path = with_suffix(std::move(path), format::suffix);
    const detail::prepared_save<format> prepared(object, path, options);
    executor run(prepared.plan());
    report.bytes = prepared.plan().size();
    report.seconds_planned = watch.lap();
    atomic_file file(std::move(path), report.bytes, {.sync = options.durability, .mode = options.mode});
    detail::execute(run, report.bytes, file, options);
    report.seconds_written = watch.lap();
    file.commit();
    report.seconds_committed = watch.lap();
    report.path = file.path();
    report.is_durable = file.is_durable();
  }
  return report;
}

/// Writes the same bytes to any sink: an object with write(std::span<const std::byte>).
template <class... Policies, class Object, class Sink>
  requires sink<std::remove_reference_t<Sink>>
save_report save(Object&& object, Sink&& to, const save_options& options = {}) {
  using format = typename policy_set<Policies...>::format;
  save_report report;
  if constexpr (detail::check_save_object<Object>()) {
    detail::stopwatch watch;
    const detail::prepared_save<format> prepared(object, "<sink>", options);
    executor run(prepared.plan());
    report.bytes = prepared.plan().size();
    report.seconds_planned = watch.lap();
    detail::execute(run, report.bytes, to, options);
    report.seconds_written = watch.lap();
  }
  return report;
}

/// The same bytes in memory.
template <class... Policies, class Object>
[[nodiscard]] std::vector<std::byte> save_bytes(Object&& object, const save_options& options = {}) {
  using format = typename policy_set<Policies...>::format;
  std::vector<std::byte> bytes;
  if constexpr (detail::check_save_object<Object>()) {
    const detail::prepared_save<format> prepared(object, "<memory>", options);
    executor run(prepared.plan());
    bytes.reserve(static_cast<std::size_t>(prepared.plan().size()));
    memory_sink to(bytes);
    detail::execute(run, prepared.plan().size(), to, options);
  }
  return bytes;
}

}  // namespace ckpt

#endif
