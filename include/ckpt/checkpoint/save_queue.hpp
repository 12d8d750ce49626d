#ifndef CKPT_CHECKPOINT_SAVE_QUEUE_HPP
#define CKPT_CHECKPOINT_SAVE_QUEUE_HPP

#include <algorithm>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <ckpt/checkpoint/in_flight.hpp>
#include <ckpt/checkpoint/pending_save.hpp>
#include <ckpt/core/concat.hpp>
#include <ckpt/core/error.hpp>
#include <ckpt/core/function_ref.hpp>
#include <ckpt/io/file_place.hpp>
#include <ckpt/io/system_call.hpp>
#include <ckpt/task/background_queue.hpp>
#include <ckpt/task/process_mark.hpp>
#include <ckpt/task/staging_pool.hpp>

namespace ckpt {

namespace detail {

/// All asynchronous saves of this process that are not done, by the file they are to replace.
class saves_in_flight {
 public:
  static saves_in_flight& all() {
    static auto& forever = *new saves_in_flight;  // saves go on while the statics of a program are destroyed
    return forever;
  }

  /// Adds a save and returns the last one before it of the same file.
  [[nodiscard]] std::shared_ptr<pending_save> add(const file_place& place, const std::shared_ptr<pending_save>& save) {
    asynchronous_saves.store([](const std::string& path, in_flight what) { all().settle(path, what); },
                             std::memory_order_release);
    const std::lock_guard lock(m_mutex);
    forget_those_of_a_parent();
    std::shared_ptr<pending_save> before = last_of(place);
    m_saves.push_back({place, save});
    return before;
  }

 private:
  struct save_of_place {
    file_place place;
    std::weak_ptr<pending_save> save;
  };

  /// A process that was forked meanwhile has no part in them.
  void forget_those_of_a_parent() noexcept {
    if (m_process.take_over()) m_saves.clear();
  }

  /// Forgets what is done, too.
  [[nodiscard]] std::shared_ptr<pending_save> last_of(const file_place& place) {
    std::shared_ptr<pending_save> last;
    std::erase_if(m_saves, [&](const save_of_place& each) {
      std::shared_ptr<pending_save> save = each.save.lock();
      if (save == nullptr || save->is_done()) return true;
      if (each.place == place) last = std::move(save);
      return false;
    });
    return last;
  }

  void settle(const std::string& path, in_flight what) {
    std::shared_ptr<pending_save> last;
    {
      const std::lock_guard lock(m_mutex);
      forget_those_of_a_parent();
      if (m_saves.empty()) return;
      if (const std::optional<file_place> place = place_of(path)) last = last_of(*place);
    }
    if (last == nullptr) return;
    if (what == in_flight::refuse)
      throw usage_error(errc::invalid_argument, {.path = path}, "a save of this file is in flight: wait for its job");
    if (background_queue::is_calling())
      throw usage_error(errc::invalid_argument, {.path = path},
                        concat({"a save of this file is in flight", background_queue::must_not_wait}));
    last->wait();
  }

  std::mutex m_mutex;
  std::vector<save_of_place> m_saves;
  process_mark m_process;
};

}  // namespace detail

/// Asynchronous saves that are carried out one after the other, and so end in the order in which they were asked for.
/// A handle: copies share one queue. When the last one goes, the rest of the saves are done first; but on the thread of
/// a queue, as in a coroutine that goes on there, it only goes. The end of the program waits for the saves of all
/// queues.
class save_queue {
 public:
  save_queue() : m_queue(std::make_shared<background_queue>()) {}

  /// The queue of all saves that name no other.
  [[nodiscard]] static save_queue process() {
    static const save_queue all;
    return all;
  }

  /// How many saves at most are waiting for their turn when a process is forked to wait for its own: it holds on to the
  /// memory as it is then.
  static constexpr std::size_t most_before_process = 2;

  /// Before another process is forked. Throws usage_error where there are too many and nobody is to wait, as on the
  /// thread of a queue.
  void make_room_for_process(when_full full, const std::string& label) const {
    const bool is_calling = background_queue::is_calling();
    if (!m_queue->wait_for_room(most_before_process, full == when_full::wait && !is_calling))
      throw usage_error(errc::invalid_argument, {.path = label},
                        concat({std::to_string(most_before_process),
                                " saves are waiting for their turn, and a process would hold on to all memory until it "
                                "has its own",
                                is_calling ? background_queue::must_not_wait : ""}));
  }

  /// `start` is called when the save has its place in the order, and before it may begin. Returns whether it begins at
  /// once, there being no other to wait for. Throws io_error where the system has no thread to give.
  bool add(const std::shared_ptr<detail::pending_save>& save, function_ref<void()> start) const {
    static std::mutex order;  // of saves of one file in several queues: each waits only for those before it
    const std::lock_guard lock(order);
    std::shared_ptr<detail::pending_save> before;
    if (const std::optional<file_place> place = place_of(save->path()))
      before = detail::saves_in_flight::all().add(*place, save);
    save->set_predecessor(before);
    try {
      start();
      return add_to_queue(save) && before == nullptr;
    } catch (...) {
      save->fail(std::current_exception());  // for those who wait for the file already
      throw;
    }
  }

 private:
  bool add_to_queue(const std::shared_ptr<detail::pending_save>& save) const {
    try {
      return m_queue->add(save);
    } catch (const std::system_error& none) {
      throw_io_error(none.code(), save->path(), "cannot start a thread for the save");
    }
  }

  std::shared_ptr<background_queue> m_queue;
};

}  // namespace ckpt

#endif
