#ifndef CKPT_TASK_STAGING_POOL_HPP
#define CKPT_TASK_STAGING_POOL_HPP

#include <algorithm>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <unistd.h>

#include <ckpt/core/concat.hpp>
#include <ckpt/core/error.hpp>
#include <ckpt/io/aligned_memory.hpp>
#include <ckpt/task/background_queue.hpp>
#include <ckpt/task/process_mark.hpp>

namespace ckpt {

/// What a save does that finds no room for what it needs.
enum class when_full : std::uint8_t {
  wait,    ///< until other saves are done
  refuse,  ///< usage_error
};

/// Memory for the snapshots of asynchronous saves. What one save has used is kept for the next: the system gives fresh
/// memory page by page, which takes many times as long as the copy. A handle: copies share one pool, which lives until
/// the last of them and the last save that uses it are gone.
class staging_pool {
  struct shared;

 public:
  /// At most `limit` bytes, those in use and those kept together.
  explicit staging_pool(std::uint64_t limit) : m_shared(std::make_shared<shared>()) { m_shared->limit = limit; }

  /// The one that all saves of this process share that name no other: half of the machine's memory.
  [[nodiscard]] static staging_pool process() {
    static const staging_pool all(half_of_memory());
    return all;
  }

  /// A piece of memory that goes back to the pool.
  class lease {
   public:
    lease() = default;
    lease(std::shared_ptr<shared> from, aligned_memory memory, std::size_t size) noexcept
        : m_from(std::move(from)), m_memory(std::move(memory)), m_size(size) {}
    lease(lease&&) noexcept = default;
    lease& operator=(lease&& other) noexcept {
      lease gone(std::move(*this));
      m_from = std::move(other.m_from);
      m_memory = std::move(other.m_memory);
      m_size = other.m_size;
      m_process = other.m_process;
      return *this;
    }
    ~lease() {
      if (m_from != nullptr && m_process.is_here()) m_from->take_back(std::move(m_memory));
    }

    [[nodiscard]] std::span<std::byte> bytes() const noexcept { return m_memory.bytes().first(m_size); }

   private:
    std::shared_ptr<shared> m_from;
    aligned_memory m_memory;
    std::size_t m_size = 0;
    process_mark m_process;  // whose pool counts it
  };

  /// Throws usage_error for more than the pool may ever have, or has now and is not to be waited for, as on the thread
  /// of a queue; std::bad_alloc.
  /// `label` is what errors call the file.
  [[nodiscard]] lease take(std::size_t size, when_full full, const std::string& label) const {
    if (size > m_shared->limit) {
      throw usage_error(errc::invalid_argument, {.path = label},
                        concat({"the snapshot takes ", std::to_string(size), " bytes, and the staging pool has ",
                                std::to_string(m_shared->limit),
                                ": give it more, or save with .mode = ckpt::async::process, which copies nothing"}));
    }
    std::unique_lock lock(m_shared->mutex);
    m_shared->forget_those_of_a_parent();
    while (!m_shared->make_room(size)) {
      const bool is_calling = background_queue::is_calling();
      if (full == when_full::refuse || is_calling) {
        throw usage_error(
            errc::invalid_argument, {.path = label},
            concat({"the staging pool is full: the snapshot takes ", std::to_string(size), " bytes, and ",
                    std::to_string(m_shared->used), " of ", std::to_string(m_shared->limit),
                    " are in use by saves that are not done", is_calling ? background_queue::must_not_wait : ""}));
      }
      m_shared->given_back.wait(lock);
    }
    return {m_shared, m_shared->take(size), size};
  }

  /// Gives memory that is kept and not in use back to the system.
  void trim() const noexcept {
    const std::lock_guard lock(m_shared->mutex);
    m_shared->drop_kept();
  }

  [[nodiscard]] std::uint64_t limit() const noexcept { return m_shared->limit; }
  /// Bytes of snapshots whose saves are not done.
  [[nodiscard]] std::uint64_t used() const noexcept {
    const std::lock_guard lock(m_shared->mutex);
    return m_shared->used;
  }
  /// Bytes kept for the next ones.
  [[nodiscard]] std::uint64_t kept() const noexcept {
    const std::lock_guard lock(m_shared->mutex);
    return m_shared->kept_size;
  }

 private:
  struct shared {
    std::mutex mutex;
    std::condition_variable given_back;
    std::vector<aligned_memory> kept;
    std::uint64_t kept_size = 0;
    std::uint64_t used = 0;
    std::uint64_t limit = 0;

    /// In a process that was forked meanwhile: nobody there gives back what is in use.
    void forget_those_of_a_parent() noexcept {
      if (process.take_over()) used = leased = 0;
    }

    /// The smallest piece kept that is large enough.
    [[nodiscard]] auto fitting(std::size_t size) noexcept {
      auto best = kept.end();
      for (auto each = kept.begin(); each != kept.end(); ++each)
        if (each->bytes().size() >= size && (best == kept.end() || each->bytes().size() < best->bytes().size()))
          best = each;
      return best;
    }
    /// Whether take() may be called; drops what is kept where that is in the way.
    [[nodiscard]] bool make_room(std::size_t size) noexcept {
      if (fitting(size) != kept.end()) return true;
      if (size > limit - used) return false;
      if (size > limit - used - kept_size) drop_kept();
      return true;
    }
    [[nodiscard]] aligned_memory take(std::size_t size) {
      const auto found = fitting(size);
      // A much larger piece is left to a larger snapshot, where there is room beside it.
      const bool is_taken =
          found != kept.end() && (found->bytes().size() / 2 <= whole(size) || size > limit - used - kept_size);
      aligned_memory memory;
      if (is_taken) {
        memory = std::move(*found);
        kept_size -= memory.bytes().size();
        kept.erase(found);
      } else {
        kept.reserve(kept.size() + leased + 1);  // so that taking back allocates nothing
        const bool grows = drop_outgrown(size);
        const std::uint64_t left = limit - used - kept_size;
        const std::uint64_t roomy = whole(size + size / 8);
        const std::uint64_t wanted = grows && roomy <= left / 2 ? roomy : whole(size);
        memory = aligned_memory(static_cast<std::size_t>(std::min(wanted, left)));
      }
      ++leased;
      used += memory.bytes().size();
      return memory;
    }
    /// Drops the largest of the pieces kept that are too small, if that has half the size: whoever left it comes back
    /// for more, and else each step of a snapshot that grows would stay.
    bool drop_outgrown(std::size_t size) noexcept {
      auto largest = kept.end();
      for (auto each = kept.begin(); each != kept.end(); ++each)
        if (each->bytes().size() < size && (largest == kept.end() || each->bytes().size() > largest->bytes().size()))
          largest = each;
      if (largest == kept.end() || largest->bytes().size() < size / 2) return false;
      kept_size -= largest->bytes().size();
      kept.erase(largest);
      return true;
    }
    void take_back(aligned_memory memory) noexcept {
      {
        const std::lock_guard lock(mutex);
        --leased;
        used -= memory.bytes().size();
        kept_size += memory.bytes().size();
        kept.push_back(std::move(memory));
      }
      given_back.notify_all();
    }
    void drop_kept() noexcept {
      kept.clear();
      kept_size = 0;
    }

    /// Whole huge pages: the next snapshot may be a few bytes larger.
    [[nodiscard]] static std::uint64_t whole(std::size_t size) noexcept {
      return size < huge_page ? size : (size + huge_page - 1) / huge_page * huge_page;
    }

    std::size_t leased = 0;
    process_mark process;
    static constexpr std::uint64_t huge_page = std::uint64_t{2} << 20;
  };

  [[nodiscard]] static std::uint64_t half_of_memory() noexcept {
    const long pages = ::sysconf(_SC_PHYS_PAGES);
    const long size = ::sysconf(_SC_PAGESIZE);
    if (pages <= 0 || size <= 0) return std::uint64_t{4} << 30;
    return static_cast<std::uint64_t>(pages) / 2 * static_cast<std::uint64_t>(size);
  }

  std::shared_ptr<shared> m_shared;
};

}  // namespace ckpt

#endif
