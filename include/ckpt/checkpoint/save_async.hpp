#ifndef CKPT_CHECKPOINT_SAVE_ASYNC_HPP
#define CKPT_CHECKPOINT_SAVE_ASYNC_HPP

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <ckpt/checkpoint/child_fetcher.hpp>
#include <ckpt/checkpoint/file_name.hpp>
#include <ckpt/checkpoint/options.hpp>
#include <ckpt/checkpoint/pending_save.hpp>
#include <ckpt/checkpoint/policies.hpp>
#include <ckpt/checkpoint/read_ahead.hpp>
#include <ckpt/checkpoint/save.hpp>
#include <ckpt/checkpoint/save_job.hpp>
#include <ckpt/checkpoint/save_queue.hpp>
#include <ckpt/checkpoint/snapshot.hpp>
#include <ckpt/checkpoint/stopwatch.hpp>
#include <ckpt/cipher/secret_key.hpp>
#include <ckpt/core/error.hpp>
#include <ckpt/format/plan.hpp>
#include <ckpt/io/atomic_file.hpp>
#include <ckpt/model/append_values.hpp>
#include <ckpt/model/entries.hpp>
#include <ckpt/model/metadata_pairs.hpp>
#include <ckpt/task/child_process.hpp>
#include <ckpt/task/default_threads.hpp>
#include <ckpt/task/staging_pool.hpp>

namespace ckpt {

/// How an asynchronous save keeps what it saves as it was at the call.
enum class async : std::uint8_t {
  thread,   ///< by a copy, into memory that is kept for the next save; a thread of this process writes it
  process,  ///< by a fork, whose pages are copied only where they change; that process writes it. What
            ///< lies in memory that is shared between processes (MAP_SHARED) is saved as it is by then
  borrow,   ///< not at all: the caller leaves it alone until the job is done. A thread of this process writes it
};

/// The members down to `format_pair` are those of save_options.
struct async_options {
  append_values append{};
  std::function<bool(std::string_view)> choose{};
  /// Called on the thread of the queue. It must not wait for saves of that queue. What it throws ends the save; a
  /// process may have put the file in place by then.
  std::function<void(ckpt::progress)> progress{};
  ckpt::duplicates duplicates = ckpt::duplicates::refuse;
  std::uint64_t align = 0;
  ckpt::durability durability = ckpt::durability::full;
  unsigned permissions = 0400;
  borrowed_key key{};
  /// How many threads copy, and then encrypt, or sum or read ahead beside the one that writes; 0: one for each core. In
  /// a process one encrypts, sums and writes, and another reads ahead.
  unsigned threads = 0;
  metadata_pairs metadata{};
  ckpt::format_pair format_pair = ckpt::format_pair::added;

  async mode = async::thread;
  /// Where async::thread copies to.
  staging_pool staging = staging_pool::process();
  /// What to do where there is no room for another snapshot yet.
  ckpt::when_full when_full = ckpt::when_full::wait;
  /// Saves of one queue are done one after the other.
  save_queue queue = save_queue::process();
  /// async::process: how long the process may make no progress before it is killed and the save has failed; 0: for
  /// ever.
  std::chrono::milliseconds deadline = std::chrono::minutes(10);
  /// Told the error of a job that was dropped without get(); none: one line on stderr. Called on any thread.
  std::function<void(const std::exception&)> on_error{};

  /// For a save that is waited for.
  explicit operator save_options() const {
    return {.append = append,
            .choose = choose,
            .progress = progress,
            .duplicates = duplicates,
            .align = align,
            .durability = durability,
            .permissions = permissions,
            .key = key,
            .threads = threads,
            .metadata = metadata,
            .format_pair = format_pair};
  }
};

namespace detail {

template <class Policies>
class pending_save_of final : public pending_save {
 public:
  /// Takes over what is appended: it is part of what is saved.
  pending_save_of(std::unique_ptr<prepared_save<Policies>> prepared, std::string path, double seconds_planned,
                  async_options& options)
      : pending_save(std::move(path), prepared->size(), {.sync = options.durability, .mode = options.permissions},
                     seconds_planned, options.on_error, options.progress),
        m_appended(std::move(options.append)),
        m_prepared(std::move(prepared)),
        m_threads(threads_or_default(options.threads)),
        m_mode(options.mode) {}

  /// Makes room for a copy of what is saved. Before the save begins.
  void make_snapshot(const async_options& options, stopwatch& watch) {
    m_image = options.staging.take(static_cast<std::size_t>(m_prepared->plan().size()), options.when_full, path());
    m_snapshot.emplace(m_prepared->plan(), m_image.bytes());
    // A cipher or checksum goes through the bytes in its own way, and what a source throws is the caller's to know.
    m_begins_before_taken = is_plain && !m_prepared->plan().reads_source();
    if (!m_begins_before_taken) m_snapshot->take(options.threads, watch);
  }

  /// Copies what is saved. When the save may have begun, and `begins_at_once` says whether it has: then its thread is
  /// one of those that copy.
  void take_snapshot(const async_options& options, bool begins_at_once, stopwatch& watch) {
    if (!m_begins_before_taken) return;
    const unsigned threads = threads_or_default(options.threads);
    m_snapshot->take(begins_at_once && threads > 1 ? threads - 1 : threads, watch);
  }

  [[nodiscard]] bool is_staged() const override { return m_mode != async::borrow || is_done(); }

 private:
  static constexpr bool is_plain =
      std::is_same_v<typename Policies::cipher, no_cipher> && std::is_same_v<typename Policies::checksum, no_checksum>;

  void write(atomic_file& to, function_ref<void(std::uint64_t)> report) override {
    if constexpr (is_plain) {
      if (m_snapshot) {
        report(0);
        read_ahead ahead(to, m_threads);
        return m_snapshot->write(to, ahead, report);
      }
      if (m_mode == async::process && m_threads > 1) {
        read_ahead ahead(to, &child_fetcher::start);
        return m_prepared->execute(ahead, report);
      }
    } else if (m_snapshot) {
      m_prepared->plan().replace_by(m_image.bytes());
    }
    m_prepared->execute(to, report);
  }
  void describe(save_report& report) const noexcept override {
    m_prepared->describe(report);
    if (m_snapshot) report.seconds_staged = m_snapshot->seconds();
  }
  void release() noexcept override {
    if (m_snapshot) m_snapshot->wait();  // where the save has failed, it may be about to be taken
    m_snapshot.reset();
    m_prepared.reset();
    m_appended = {};
    m_image = {};
  }

  append_values m_appended;
  std::unique_ptr<prepared_save<Policies>> m_prepared;
  staging_pool::lease m_image;
  std::optional<snapshot> m_snapshot;
  bool m_begins_before_taken = false;
  const unsigned m_threads;
  const async m_mode;
};

}  // namespace detail

/// Saves as save(), and returns as soon as `object` may be changed: `mode` says how. Throws usage_error, as save()
/// does, where the call makes no sense; what goes wrong with the file is the job's to tell. A file is replaced by one
/// save at a time, in the order of the calls; save() and load() of a file that is yet to be replaced wait for that.
template <class... Policies, class Object>
save_job save_async(Object&& object, std::string path, async_options options = {}) {
  using chosen = policy_set<Policies...>;
  std::shared_ptr<detail::pending_save> started;
  if constexpr (detail::check_save_object<Object>()) {
    detail::stopwatch watch;
    path = with_suffix(std::move(path), chosen::format::suffix);
    if (options.mode == async::borrow && !std::is_lvalue_reference_v<Object>)
      throw usage_error(errc::invalid_argument, {.path = path},
                        "a temporary cannot be borrowed by a save that goes on without it: keep it in a variable");
    if (options.mode == async::process) {
      if (!child_process::is_available())
        throw usage_error(errc::unsupported, {.path = path},
                          ".mode = ckpt::async::process needs Linux 5.9: save with .mode = ckpt::async::thread");
      options.queue.make_room_for_process(options.when_full, path);
    }
    const unsigned threads = options.threads;
    if (options.mode == async::process) options.threads = 1;  // a forked process has no others that encrypt or sum
    auto prepared = std::make_unique<detail::prepared_save<chosen>>(object, path, options);
    options.threads = threads;
    const auto save =
        std::make_shared<detail::pending_save_of<chosen>>(std::move(prepared), std::move(path), watch.lap(), options);
    if (options.mode == async::thread) save->make_snapshot(options, watch);
    const bool begins_at_once = options.queue.add(save, [&] {
      if (options.mode == async::process) save->fork(options.deadline);
      if (options.mode != async::thread) save->set_seconds_staged(watch.lap());
    });
    if (options.mode == async::thread) save->take_snapshot(options, begins_at_once, watch);
    started = save;
  }
  return save_job(std::move(started));
}

}  // namespace ckpt

#endif
