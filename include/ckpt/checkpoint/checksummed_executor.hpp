#ifndef CKPT_CHECKPOINT_CHECKSUMMED_EXECUTOR_HPP
#define CKPT_CHECKPOINT_CHECKSUMMED_EXECUTOR_HPP

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include <ckpt/checkpoint/executor.hpp>
#include <ckpt/checkpoint/part_sums.hpp>
#include <ckpt/checkpoint/policies.hpp>
#include <ckpt/checksum/concept.hpp>
#include <ckpt/core/concat.hpp>
#include <ckpt/core/error.hpp>
#include <ckpt/core/function_ref.hpp>
#include <ckpt/core/sequence.hpp>
#include <ckpt/core/trivial_vector.hpp>
#include <ckpt/format/checksum_place.hpp>
#include <ckpt/format/plan.hpp>
#include <ckpt/io/sink.hpp>

namespace ckpt {

namespace detail {

/// What sums while another thread writes: that of the checksum, where it names one.
template <class Checksum>
struct companion_of {
  struct type {
    explicit type(unsigned /*threads*/) noexcept {}
    void run(function_ref<void()> there, function_ref<void()> here) {
      there();
      here();
    }
  };
};
template <class Checksum>
  requires requires { typename Checksum::companion; }
struct companion_of<Checksum> {
  using type = typename Checksum::companion;
};

}  // namespace detail

/// Moves the bytes of a plan into a sink and the checksum of them into its place. Bytes are summed as they pass, while
/// they are in the cache: on a second thread, where the checksum names a companion, `threads` is not 1 and the file is
/// not small. run() makes that thread and ends it, and allocates nothing else. Where the place lies before bytes that
/// are counted, it is filled in at the end, if the sink is one that overwrites; for any other sink the plan is run
/// twice, and at first only summed.
template <checksum_policy Checksum>
class checksummed_executor {
 public:
  /// The plan must outlive the executor. Throws usage_error where its format has no place for a checksum.
  explicit checksummed_executor(const plan& what, const execution_options& options = {})
      : m_plan(&what), m_threads(options.threads), m_executor(what, options), m_sums(what.checksum().parts) {
    check(options.label);
    m_rendered.resize_for_overwrite(place().size);
  }

  /// Bytes of the file.
  [[nodiscard]] std::uint64_t size() const noexcept { return m_plan->size() + (is_trailer() ? place().size : 0); }

  /// Whether the checksum is known: run() has come to it.
  [[nodiscard]] bool has_checksum() const noexcept { return m_has_checksum; }
  /// The one that was written.
  [[nodiscard]] std::uint32_t checksum() const noexcept { return m_checksum; }

  /// As executor::run.
  template <sink Sink>
  void run(Sink& to, function_ref<void(std::uint64_t)> report) {
    m_sums.restart();
    if (is_trailer()) {
      sum_and_write(to, report);
      render();
      to.write(rendered().span());
      report(size());
    } else if constexpr (overwriting_sink<Sink>) {
      sum_and_write(to, report);
      render();
      to.overwrite(m_plan->size() - place().offset, rendered().span());
    } else {
      summing_only sums{m_sums};
      m_executor.run(sums, [](std::uint64_t) {});
      render();
      substituting<Sink> both{to, place().offset, rendered()};
      m_executor.run(both, report);
    }
  }

 private:
  struct summing_only {
    part_sums<Checksum>& sums;
    void write(std::span<const std::byte> bytes) { sums.update(bytes); }
  };

  /// Sums what the executor hands over while it is written, or just before, where it is little or there is no second
  /// thread. That is executor::piece at the most: few enough bytes for the one that comes later to find them in the
  /// cache.
  template <class Sink, class Companion>
  struct summing {
    Sink& to;
    part_sums<Checksum>& sums;
    Companion& second;

    void write(std::span<const std::byte> bytes) {
      both(bytes.size(), [&] { sums.update(bytes); }, [&] { to.write(bytes); });
    }
    void write(std::span<const std::byte> first, std::span<const std::byte> rest)
      requires requires { to.write(first, rest); }
    {
      const auto sum = [&] {
        sums.update(first);
        sums.update(rest);
      };
      both(first.size() + rest.size(), sum, [&] { to.write(first, rest); });
    }

   private:
    void both(std::size_t size, function_ref<void()> sum, function_ref<void()> write) {
      if (size >= executor::large_piece) {
        second.run(sum, write);
      } else {
        sum();
        write();
      }
    }
  };

  /// Puts other bytes in the place of those from `offset` on.
  template <class Sink>
  struct substituting {
    Sink& to;
    std::uint64_t offset;
    sequence<std::byte> others;
    std::uint64_t at = 0;

    void write(sequence<std::byte> bytes) {
      if (at < offset) pass(bytes, offset - at);
      if (at >= offset && !bytes.empty() && !others.empty()) {
        const sequence<std::byte> now = others.first(bytes.size() < others.size() ? bytes.size() : others.size());
        others = others.subspan(now.size());
        bytes = bytes.subspan(now.size());
        at += now.size();
        to.write(now.span());
      }
      pass(bytes, bytes.size());
    }

   private:
    void pass(sequence<std::byte>& bytes, std::uint64_t most) {
      const sequence<std::byte> now = bytes.first(bytes.size() < most ? bytes.size() : static_cast<std::size_t>(most));
      bytes = bytes.subspan(now.size());
      at += now.size();
      if (!now.empty()) to.write(now.span());
    }
  };

  [[nodiscard]] const checksum_place& place() const noexcept { return m_plan->checksum(); }
  [[nodiscard]] bool is_trailer() const noexcept { return place().offset == m_plan->size(); }
  [[nodiscard]] sequence<std::byte> rendered() const noexcept { return m_rendered; }

  /// A format of the user's may be wrong.
  void check(std::string_view label) const {
    if (place().size == 0 || place().render == nullptr)
      refuse(label, concat({"this format has no place for a checksum: save without ", Checksum::name}));
    bool fits = place().offset <= m_plan->size() && (is_trailer() || place().size <= m_plan->size() - place().offset);
    for (const checksum_part& part : place().parts)
      fits = fits && part.offset <= m_plan->size() && part.size <= m_plan->size() - part.offset;
    if (!fits || !m_sums.is_disjoint())
      refuse(label, "the plan of this format has its checksum, or what that is over, past its end or twice");
  }
  [[noreturn]] static void refuse(std::string_view label, const std::string& text) {
    throw usage_error(errc::unsupported, {.path = std::string(label)}, text);
  }

  template <class Sink>
  void sum_and_write(Sink& to, function_ref<void(std::uint64_t)> report) {
    using second_thread = typename detail::companion_of<Checksum>::type;
    second_thread second(m_plan->size() < executor::large_file ? 1 : m_threads);
    summing<Sink, second_thread> both{to, m_sums, second};
    m_executor.run(both, report);
  }

  void render() {
    m_checksum = m_sums.value();
    m_has_checksum = true;
    place().render(m_checksum, m_rendered);
  }

  const plan* m_plan;
  unsigned m_threads;
  executor m_executor;
  part_sums<Checksum> m_sums;
  trivial_vector<std::byte> m_rendered;
  std::uint32_t m_checksum = 0;
  bool m_has_checksum = false;
};

template <checksum_policy Checksum>
struct detail::executor_of<no_cipher, Checksum> {
  using type = checksummed_executor<Checksum>;
};

}  // namespace ckpt

#endif
