#ifndef CKPT_CHECKPOINT_PENDING_SAVE_HPP
#define CKPT_CHECKPOINT_PENDING_SAVE_HPP

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include <ckpt/checkpoint/options.hpp>
#include <ckpt/checkpoint/save_job.hpp>
#include <ckpt/checkpoint/stopwatch.hpp>
#include <ckpt/checkpoint/write_and_commit.hpp>
#include <ckpt/core/concat.hpp>
#include <ckpt/core/error.hpp>
#include <ckpt/core/function_ref.hpp>
#include <ckpt/io/atomic_file.hpp>
#include <ckpt/io/file_descriptor.hpp>
#include <ckpt/io/system_call.hpp>
#include <ckpt/task/background_queue.hpp>
#include <ckpt/task/child_process.hpp>
#include <ckpt/task/signals_left_to_others.hpp>

namespace ckpt::detail {

/// What a saving process tells its parent.
struct child_message {
  enum class what : std::uint8_t { progress, done, failed };

  what kind;
  bool is_durable = false;
  bool has_checksum = false;
  bool has_offset = false;
  std::uint32_t checksum = 0;
  int cause = 0;
  std::uint64_t bytes = 0;  ///< done so far; where it failed
  double seconds_written = 0;
  double seconds_synced = 0;
  std::array<char, 120> text{};  ///< what failed

  [[nodiscard]] std::span<const std::byte> sent() const noexcept { return std::as_bytes(std::span(this, 1)); }
};

/// A save whose plan is made and whose temporary file is there, to be carried out by a queue: by its thread, or by a
/// process that was forked when the save was asked for.
class pending_save : public job_state, public background_task, public std::enable_shared_from_this<pending_save> {
 public:
  /// What goes wrong with the file is kept for whoever asks for the outcome.
  pending_save(std::string path, std::uint64_t size, atomic_file_options how, double seconds_planned,
               std::function<void(const std::exception&)> on_error, std::function<void(ckpt::progress)> on_progress)
      : job_state(path, size, std::move(on_error)), m_on_progress(std::move(on_progress)) {
    m_report.seconds_planned = seconds_planned;
    how.room = reservation::later;
    try {
      m_file.emplace(std::move(path), size, how);
    } catch (const io_error&) {
      m_failure = std::current_exception();
    }
  }

  /// What this waits for before it begins: the save of the same file that was asked for before it.
  void set_predecessor(std::shared_ptr<pending_save> before) noexcept { m_predecessor = std::move(before); }
  void set_seconds_staged(double seconds) noexcept { m_report.seconds_staged = seconds; }

  /// Forks the process that will do it. Until run() lets it, it only holds on to the memory as it is now; it goes on by
  /// itself where this process has ended, but then replaces no file that somebody else has put in place since.
  /// `deadline`: how long it may make no progress; 0: for ever.
  void fork(std::chrono::milliseconds deadline) {
    if (m_failure) return;
    m_deadline = deadline;
    try {
      std::vector<file_descriptor> before;
      std::vector<file_descriptor> replaceable;
      if (m_predecessor != nullptr) m_predecessor->add_itself(before, replaceable);
      replaceable.push_back(m_file->known_target());  // last: a file of those before may get there meanwhile
      const std::array<int, 2> own = m_file->descriptors();
      std::vector<int> kept(own.begin(), own.end());
      for (const file_descriptor& each : before) kept.push_back(each.get());
      for (const file_descriptor& each : replaceable) kept.push_back(each.get());
      m_child = std::make_unique<child_process>(kept, path(), [&](const child_channel& parent) {
        const bool is_orphan = !parent.wait_for_go();
        if (is_orphan)
          for (const file_descriptor& each : before) child_process::wait_for(each.get());
        run_in_child(parent, is_orphan, replaceable);
      });
    } catch (const io_error&) {
      m_failure = std::current_exception();
    }
  }

  void run() noexcept final {
    if (m_predecessor != nullptr) m_predecessor->wait();
    {
      const std::lock_guard lock(m_child_mutex);
      m_predecessor.reset();
    }
    std::exception_ptr error;
    try {
      if (m_failure) std::rethrow_exception(m_failure);
      if (m_child != nullptr) supervise();
      else execute();
    } catch (...) {
      error = std::current_exception();
    }
    if (!m_is_left_behind) end();
    if (error) fail(std::move(error));
    else finish(std::move(m_report));
  }

  void cancel() noexcept final {
    job_state::cancel();
    const std::lock_guard lock(m_child_mutex);
    if (m_child != nullptr) m_child->kill();
  }

 protected:
  virtual void write(atomic_file& to, function_ref<void(std::uint64_t)> report) = 0;
  virtual void describe(save_report& report) const noexcept = 0;
  /// Gives back all that the save needed.
  virtual void release() noexcept = 0;

 private:
  /// Adds descriptors of this save and of those that it waits for: of each process, readable when that has ended (one
  /// of them is not enough: it may be killed while those before it go on), and of each file, to know it again.
  void add_itself(std::vector<file_descriptor>& processes, std::vector<file_descriptor>& files) {
    const std::lock_guard lock(m_child_mutex);
    if (m_child != nullptr) processes.push_back(m_child->descriptor());
    if (m_file) files.push_back(m_file->known_file());
    if (m_predecessor != nullptr) m_predecessor->add_itself(processes, files);
  }

  /// Before anyone is told: then the file is in place or the temporary file gone, and nothing held on to.
  void end() noexcept {
    {
      const std::lock_guard lock(m_child_mutex);
      m_child.reset();
      m_file.reset();
    }
    release();
  }

  void advance_to(std::uint64_t done) {
    advance(done);
    if (is_cancelled()) throw_cancelled();
    if (m_on_progress) m_on_progress(progress());
  }

  void execute() {
    if (is_cancelled()) throw_cancelled();
    stopwatch watch;
    write_and_commit(*m_file, watch, m_report, [this] {
      m_file->reserve();
      write(*m_file, [this](std::uint64_t done) { advance_to(done); });
      if (is_cancelled()) throw_cancelled();
    });
    m_report.path = m_file->path();
    describe(m_report);
  }

  // In the child: no allocation, no lock, no exception.

  struct work {
    const atomic_file* file;
    const child_channel* parent;
  };
  inline static constinit work in_child{};

  [[noreturn]] static void report_failure(std::error_code cause, std::string_view text,
                                          std::optional<std::uint64_t> offset) {
    in_child.file->discard();  // the parent may be gone
    child_message message{.kind = child_message::what::failed, .has_offset = offset.has_value()};
    message.cause = cause.value();
    message.bytes = offset.value_or(0);
    std::memcpy(message.text.data(), text.data(), std::min(text.size(), message.text.size() - 1));
    in_child.parent->send(message.sent());
    child_channel::leave(EXIT_FAILURE);
  }

  void run_in_child(const child_channel& parent, bool is_orphan,
                    std::span<const file_descriptor> replaceable) noexcept {
    in_child = {&*m_file, &parent};
    instead_of_io_error = [](std::error_code cause, std::string_view text, std::optional<std::uint64_t> offset) {
      report_failure(cause, text, offset);
    };
    child_message message{.kind = child_message::what::progress};
    stopwatch watch;
    const auto write_file = [&] {
      m_file->reserve();
      write(*m_file, [&](std::uint64_t done) {
        message.bytes = done;
        parent.offer(message.sent());
      });
    };
    // An orphan may come late: after the saves of a program that was started anew, say.
    const auto is_overtaken = [&] {
      return (is_orphan || !parent.has_parent()) && !m_file->is_target_among(replaceable);
    };
    if (!write_and_commit(*m_file, watch, m_report, write_file, is_overtaken)) child_channel::leave(EXIT_FAILURE);
    describe(m_report);
    message.kind = child_message::what::done;
    message.seconds_written = m_report.seconds_written;
    message.seconds_synced = m_report.seconds_synced;
    message.is_durable = m_report.is_durable;
    message.has_checksum = m_report.has_checksum;
    message.checksum = m_report.checksum;
    parent.send(message.sent());
  }

  // In the parent again.

  void supervise() {
    m_child->go();
    std::optional<child_message> last;
    bool is_stalled = false;
    std::exception_ptr stopped;  // by a callback
    for (;;) {
      child_message message{};
      const auto most = m_deadline.count() > 0 ? std::optional(is_stalled ? time_to_end : m_deadline) : std::nullopt;
      const child_process::event what = m_child->receive(std::as_writable_bytes(std::span(&message, 1)), most);
      if (what == child_process::event::end) break;
      if (what == child_process::event::timeout) {
        if (is_stalled && leave_behind()) {
          if (is_cancelled()) throw_cancelled();
          if (stopped) std::rethrow_exception(stopped);
          throw job_error(errc::stalled, {.path = path()},
                          concat({"the saving process made no progress for ", std::to_string(m_deadline.count()),
                                  " ms, and does not end although it was killed: the kernel waits, for a disk perhaps. "
                                  "The file is as it was, unless that goes on in the very moment of replacing it"}));
        }
        is_stalled = true;
        m_child->kill();
      } else if (message.kind != child_message::what::progress) {
        last = message;
      } else if (!stopped && !is_cancelled()) {  // else it is killed, which may be too late
        try {
          advance_to(message.bytes);
        } catch (...) {
          stopped = std::current_exception();
          m_child->kill();
        }
      }
    }
    const exit_status how = m_child->wait();
    if (stopped && !is_cancelled()) std::rethrow_exception(stopped);
    describe(m_report);
    m_report.path = m_file->path();
    if (last && last->kind == child_message::what::failed) throw_failure(*last);
    if (last) {
      m_report.seconds_written = last->seconds_written;
      m_report.seconds_synced = last->seconds_synced;
      m_report.is_durable = last->is_durable;
      m_report.has_checksum = last->has_checksum;
      m_report.checksum = last->checksum;
    } else if (m_file->adopt()) {  // it ended between putting the file in place and saying so
      m_report.is_durable = m_file->is_durable();
    } else if (is_stalled) {
      throw job_error(errc::stalled, {.path = path()},
                      concat({"the saving process made no progress for ", std::to_string(m_deadline.count()),
                              " ms and was killed; the file is as it was"}));
    } else {
      if (is_cancelled()) throw_cancelled();
      throw job_error(errc::died, {.path = path()}, concat({describe(how), "; the file is as it was"}));
    }
    const bool is_told = progress().done == m_report.bytes;  // the process does not wait for who is slow to listen
    advance(m_report.bytes);
    if (!is_told && !is_cancelled() && m_on_progress) m_on_progress(progress());
  }

  /// What a process that the kernel does not end has, and the process itself, are left to a thread that nobody waits
  /// for. Returns whether there is one.
  [[nodiscard]] bool leave_behind() noexcept {
    try {
      const signals_left_to_others meanwhile;
      std::thread([self = shared_from_this()] {
        (void)self->m_child->wait();
        self->end();
      }).detach();
      return m_is_left_behind = true;
    } catch (const std::exception&) {
      return false;
    }
  }

  [[noreturn]] void throw_failure(const child_message& message) const {
    std::string text = message.text.data();
    if (message.cause == EFAULT) text += without_memory;
    std::optional<std::uint64_t> offset;
    if (message.has_offset) offset = message.bytes;
    throw io_error({message.cause, std::system_category()}, {.path = path(), .offset = offset}, text);
  }

  [[nodiscard]] static std::string describe(const exit_status& how) {
    if (!how.is_known) return "the saving process has ended, and the application has reaped it";
    if (!how.by_signal) return concat({"the saving process ended with exit code ", std::to_string(how.number)});
    const bool is_memory = how.number == SIGSEGV || how.number == SIGBUS;
    return concat({"the saving process was killed by signal ", std::to_string(how.number), " (",
                   ::strsignal(how.number), ")", is_memory ? without_memory : ""});
  }

  static constexpr std::chrono::milliseconds time_to_end{5000};  // of a process that was killed

  static constexpr const char* without_memory =
      ", as where memory is not passed on to a forked process (MADV_DONTFORK): save with .mode = ckpt::async::thread";

  const std::function<void(ckpt::progress)> m_on_progress;
  save_report m_report;
  std::optional<atomic_file> m_file;
  std::exception_ptr m_failure;  // from before run()
  std::mutex m_child_mutex;      // of the next two, and of the end of m_file
  std::shared_ptr<pending_save> m_predecessor;
  std::unique_ptr<child_process> m_child;
  std::chrono::milliseconds m_deadline{0};
  bool m_is_left_behind = false;
};

}  // namespace ckpt::detail

#endif
