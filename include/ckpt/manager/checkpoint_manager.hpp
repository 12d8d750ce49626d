#ifndef CKPT_MANAGER_CHECKPOINT_MANAGER_HPP
#define CKPT_MANAGER_CHECKPOINT_MANAGER_HPP

#include <chrono>
#include <deque>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <ckpt/checkpoint/options.hpp>
#include <ckpt/checkpoint/policies.hpp>
#include <ckpt/checkpoint/save.hpp>
#include <ckpt/checkpoint/save_async.hpp>
#include <ckpt/checkpoint/save_job.hpp>
#include <ckpt/core/concat.hpp>
#include <ckpt/core/error.hpp>
#include <ckpt/io/abandoned_temporaries.hpp>
#include <ckpt/io/file_descriptor.hpp>
#include <ckpt/io/lock_file.hpp>
#include <ckpt/io/make_directories.hpp>
#include <ckpt/manager/checkpoint_directory.hpp>
#include <ckpt/manager/metrics_file.hpp>
#include <ckpt/manager/preservation.hpp>
#include <ckpt/manager/restore_latest.hpp>
#include <ckpt/manager/save_decision.hpp>
#include <ckpt/manager/training_step.hpp>
#include <ckpt/model/append_values.hpp>
#include <ckpt/task/background_queue.hpp>

namespace ckpt {

struct manager_options {
  /// What the names of the files begin with: `prefix-epoch_step`.
  std::string prefix = "CKP";  // as MindSpore's ModelCheckpoint
  /// When save() saves; by default always.
  save_decision decision{};
  /// Which checkpoints stay when a newer one has been saved; by default all.
  ckpt::preservation preservation{};
  /// How to save; save() heeds what save_options has. What is borrowed here must outlive the manager.
  async_options save{};
};

/// What a save of a manager did.
struct checkpoint_report : deletion_report {
  save_report saved{};
};

/// Saves the checkpoints of a training into a directory, deletes those that are not wanted any more, and finds them
/// again. One manager at a time writes to a directory; others read with find_checkpoints and restore_latest. The
/// policies are those of ckpt::save.
template <class... Policies>
class checkpoint_manager {
 public:
  /// Makes the directory where it is missing, and locks it by the file `.lock` in it until the manager is gone, and
  /// with it every process forked meanwhile but those that save. Removes the temporary files of saves whose process
  /// died. Throws usage_error with errc::in_use where another manager has the directory; io_error; format_error where
  /// the file of metrics is none.
  explicit checkpoint_manager(std::string directory, manager_options options = {})
      : m_directory(std::move(directory), std::move(options.prefix), policy_set<Policies...>::format::suffix),
        m_lock(open(m_directory.path())),
        m_decision(std::move(options.decision)),
        m_preservation(std::move(options.preservation)),
        m_save(std::move(options.save)) {
    remove_abandoned_temporaries(m_directory.path(), [&](std::string_view name) { return m_directory.owns(name); });
    static_cast<void>(checkpoints());
  }

  /// Whether save() would save at this step: where metrics cost something, measure them only then.
  [[nodiscard]] bool should_save(const training_step& now) const {
    const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - m_since;
    return m_decision.should_save(now, {.last = m_last, .seconds = passed.count()});
  }

  /// Saves where the decision says so, and says what it did; nothing where it did not save. `append` comes after what
  /// the options append. Throws as ckpt::save; then no checkpoint has been deleted.
  template <class Object>
  std::optional<checkpoint_report> save(const training_step& now, Object&& object, const append_values& append = {}) {
    if (!should_save(now)) return std::nullopt;
    return save_now(now, object, append);
  }

  /// Saves whatever the decision says: the end of a training, say.
  template <class Object>
  checkpoint_report save_now(const training_step& now, Object&& object, const append_values& append = {}) {
    const auto [options, before] = begin(now, append);
    save_report saved;
    try {
      saved = ckpt::save<Policies...>(object, m_directory.path_of(now), save_options(options));
    } catch (...) {
      take_back(before);
      throw;
    }
    note(now);
    return finish(now, std::move(saved));
  }

  /// As save(), in the background: says whether it saves, and returns when `object` may be changed, as ckpt::save_async
  /// does; with metrics, their small file is on the disk by then, too. Old checkpoints are deleted when a later call
  /// finds that the new one is done. Throws, too, what went wrong with an earlier one; then this one has not begun, and
  /// may be asked for again.
  template <class Object>
  bool save_async(const training_step& now, Object&& object, const append_values& append = {}) {
    finish_those_done();
    throw_failure();
    if (!should_save(now)) return false;
    auto [options, before] = begin(now, append);
    try {
      save_job job =
          ckpt::save_async<Policies...>(std::forward<Object>(object), m_directory.path_of(now), std::move(options));
      m_pending.saves.push_back({now, std::move(before), std::move(job)});
    } catch (...) {
      take_back(before);
      throw;
    }
    note(now);
    return true;
  }

  /// Waits for the saves in the background, and says what those did of which it has not been said. Throws what went
  /// wrong with the first that failed; the others are there for the next call.
  std::vector<checkpoint_report> wait() {
    wait_for_pending();
    finish_those_done();
    throw_failure();
    return std::exchange(m_finished, {});
  }

  /// The checkpoints of this prefix, from the oldest to the newest.
  [[nodiscard]] std::vector<checkpoint> checkpoints() const { return m_directory.checkpoints(); }

  /// The newest of them, whether or not it loads; nothing where there is none. Saves that are not done are not there.
  [[nodiscard]] std::optional<checkpoint> latest() const {
    std::vector<checkpoint> all = checkpoints();
    if (all.empty()) return std::nullopt;
    return std::move(all.back());
  }

  /// Deletes the checkpoints that come after `last`, once the saves in the background are done: for a training that
  /// goes on from an earlier one. Until it has passed them, they are the newest, which restore_latest() takes. Throws
  /// io_error, and as wait().
  deletion_report discard_after(const training_step& last) {
    wait_for_pending();
    finish_those_done();
    throw_failure();
    return m_directory.delete_after(last);
  }

  /// As the function ckpt::restore_latest, once the saves in the background are done, well or not.
  [[nodiscard]] std::optional<restored_checkpoint> restore_latest(const load_options& options = {}) const {
    wait_for_pending();
    return detail::restore_latest_of<Policies...>(m_directory, options);
  }

 private:
  static lock_file open(const std::string& directory) try {
    make_directories(directory);
    return lock_file(concat({directory, "/.lock"}));
  } catch (const usage_error& e) {
    if (e.code() != errc::in_use) throw;
    throw usage_error(e.code(), {.path = directory, .found = e.found()},
                      concat({"another checkpoint_manager writes to this directory (its lock ", e.text(),
                              "): give each its own, or read with ckpt::restore_latest"}));
  }

  /// A checkpoint that a save is to replace.
  struct replaced {
    training_step at;      // with its metrics
    file_descriptor file;  // none where it is not there
  };
  struct background_save {
    training_step at;
    replaced before;
    save_job job;
  };
  /// Whose files nobody else may write while they are written: the lock is held on to until they are done. But not on
  /// the thread of a queue, which must not wait for them.
  struct background_saves {
    background_saves() = default;
    background_saves(background_saves&&) noexcept = default;
    background_saves& operator=(background_saves&& other) noexcept {
      saves.swap(other.saves);
      return *this;
    }
    ~background_saves() {
      for (const background_save& each : saves)
        if (!background_queue::is_calling()) each.job.wait();
    }
    std::deque<background_save> saves;
  };

  struct beginning {
    async_options options;
    replaced before;
  };

  /// Everything before the save itself. Where the same step is being saved that comes first: else nobody could say
  /// which metrics are those of its file.
  beginning begin(const training_step& now, const append_values& append) {
    for (const background_save& each : m_pending.saves)
      if (is_same_step(each.at, now)) each.job.wait();
    finish_those_done();
    async_options options = m_save;
    options.append.add(append);
    replaced before{.at = {.epoch = now.epoch, .step = now.step}, .file = m_directory.known_file(now)};
    before.at.metrics = m_directory.metrics_of(record(now), now);
    return {std::move(options), std::move(before)};
  }

  /// Notes the metrics of a checkpoint, and of those in the background.
  metrics_by_file record(const training_step& at) const {
    std::vector<training_step> coming;
    for (const background_save& each : m_pending.saves) coming.push_back(each.at);
    coming.push_back(at);
    return m_directory.record(coming, {.sync = m_save.durability, .mode = m_save.permissions});
  }

  /// A save has failed. Where the file that it was to replace is still there, that has its metrics again.
  void take_back(const replaced& before) const noexcept {
    try {
      if (m_directory.holds(before.at, before.file)) record(before.at);
    } catch (const std::exception&) {  // NOLINT(bugprone-empty-catch): what went wrong first is thrown
    }
  }

  void note(const training_step& saved) {
    m_last = saved;
    m_since = std::chrono::steady_clock::now();
  }

  /// To be called when the file is as safe as it gets: the save is done, so it is durable, unless the options or the
  /// file system keep it from being so.
  checkpoint_report finish(const training_step& now, save_report saved) {
    const durability done = saved.is_durable ? durability::full : durability::none;
    return {m_directory.delete_others(m_preservation, now, done), std::move(saved)};
  }

  void wait_for_pending() const {
    for (const background_save& each : m_pending.saves) each.job.wait();
  }

  /// What went wrong with them is for throw_failure().
  void finish_those_done() {
    while (!m_pending.saves.empty() && m_pending.saves.front().job.done()) {
      background_save next = std::move(m_pending.saves.front());
      m_pending.saves.pop_front();
      save_report saved;
      try {
        saved = next.job.get();
      } catch (...) {
        take_back(next.before);
        m_failures.push_back(std::current_exception());
        continue;
      }
      m_finished.push_back(finish(next.at, std::move(saved)));
    }
  }

  void throw_failure() {
    if (m_failures.empty()) return;
    const std::exception_ptr first = std::move(m_failures.front());
    m_failures.pop_front();
    std::rethrow_exception(first);
  }

  checkpoint_directory m_directory;
  lock_file m_lock;
  save_decision m_decision;
  preservation m_preservation;
  async_options m_save;
  background_saves m_pending{};
  std::vector<checkpoint_report> m_finished{};  // of which wait() has not told
  std::deque<std::exception_ptr> m_failures{};  // the same
  std::optional<training_step> m_last{};
  std::chrono::steady_clock::time_point m_since = std::chrono::steady_clock::now();
};

}  // namespace ckpt

#endif
