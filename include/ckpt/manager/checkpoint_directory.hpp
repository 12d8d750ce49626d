#ifndef CKPT_MANAGER_CHECKPOINT_DIRECTORY_HPP
#define CKPT_MANAGER_CHECKPOINT_DIRECTORY_HPP

#include <algorithm>
#include <exception>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <ckpt/core/concat.hpp>
#include <ckpt/core/error.hpp>
#include <ckpt/io/atomic_file.hpp>
#include <ckpt/io/directory.hpp>
#include <ckpt/io/file_descriptor.hpp>
#include <ckpt/io/list_directory.hpp>
#include <ckpt/io/temporary_name.hpp>
#include <ckpt/json/utf8.hpp>
#include <ckpt/manager/metrics_file.hpp>
#include <ckpt/manager/preservation.hpp>
#include <ckpt/manager/step_name.hpp>
#include <ckpt/manager/training_step.hpp>

namespace ckpt {

/// What a deletion of old checkpoints did.
struct deletion_report {
  std::vector<std::string> deleted{};  ///< files that are gone
  std::vector<error> errors{};         ///< why others are not
};

/// The checkpoints `prefix-epoch_step.suffix` in a directory, and their metrics in the file `prefix-metrics.json`.
/// Files of other names are not touched. Nothing is remembered: each call looks at the directory.
class checkpoint_directory {
 public:
  /// Does not look whether the directory is there. Throws usage_error for a prefix that can begin no file's name.
  checkpoint_directory(std::string path, std::string prefix, std::string_view suffix)
      : m_path(std::move(path)), m_prefix(std::move(prefix)), m_suffix(suffix) {
    if (m_prefix.empty() || m_prefix.find_first_of(std::string_view("/\0", 2)) != std::string::npos ||
        !is_utf8(m_prefix))
      throw usage_error(
          errc::invalid_argument, {.path = m_path},
          concat({"the prefix \"", m_prefix, "\" must be UTF-8, and neither empty nor hold a slash or NUL"}));
  }

  [[nodiscard]] const std::string& path() const noexcept { return m_path; }
  [[nodiscard]] std::string path_of(const training_step& at) const { return within(name_of(at)); }
  [[nodiscard]] std::string path_of_metrics() const { return within(metrics_name()); }

  /// Whether a file of that name is one of these.
  [[nodiscard]] bool owns(std::string_view name) const {
    return name == metrics_name() || parse_step_name(name, m_prefix, m_suffix);
  }

  /// The checkpoints from the oldest to the newest, without their metrics. Throws io_error.
  [[nodiscard]] std::vector<checkpoint> files() const {
    std::vector<checkpoint> found;
    for (const std::string& name : list_directory(m_path))
      if (std::optional<training_step> at = parse_step_name(name, m_prefix, m_suffix))
        found.push_back({{std::move(*at)}, within(name)});
    std::sort(found.begin(), found.end(), is_earlier);
    return found;
  }

  /// Whether the file of a checkpoint is there. Throws io_error.
  [[nodiscard]] bool has(const training_step& at) const { return open_directory().has(name_of(at)); }

  /// The file of a checkpoint, only to know it again, by holds(); without a descriptor where there is none. Throws
  /// io_error.
  [[nodiscard]] file_descriptor known_file(const training_step& at) const {
    return open_directory().open_to_know(name_of(at));
  }
  [[nodiscard]] bool holds(const training_step& at, const file_descriptor& known) const {
    return open_directory().holds(name_of(at), known);
  }

  /// Adds the metrics of checkpoints. Throws io_error, format_error.
  void add_metrics(std::vector<checkpoint>& to) const {
    metrics_by_file all = read_metrics(path_of_metrics());
    for (checkpoint& each : to) each.metrics = std::move(all[name_of(each)]);
  }

  /// The checkpoints with their metrics.
  [[nodiscard]] std::vector<checkpoint> checkpoints() const {
    std::vector<checkpoint> found = files();
    add_metrics(found);
    return found;
  }

  /// Notes the metrics of checkpoints whose files are being written or about to be: so none is ever there without
  /// metrics. Forgets those of other files that are not there. Returns what was noted before: those of a file that is
  /// there already are to be noted again where the save that was to replace it fails. Throws io_error, format_error;
  /// usage_error for a name that is not UTF-8.
  metrics_by_file record(std::span<const training_step> coming, atomic_file_options options) const {
    const metrics_by_file before = read_metrics(path_of_metrics());
    metrics_by_file after;
    for (const std::string& name : list_directory(m_path)) {
      const std::string_view target = target_of_temporary(name);  // an orphan of an earlier run may be writing it
      if (const auto known = before.find(target.empty() ? name : std::string(target)); known != before.end())
        after.insert(*known);
    }
    for (const training_step& each : coming)
      if (std::string name = name_of(each); !each.metrics.empty() || before.contains(name))
        after.insert_or_assign(std::move(name), each.metrics);
    if (!before.empty() || !after.empty()) write_metrics(path_of_metrics(), after, options);
    return before;
  }

  /// What `all` has of a checkpoint.
  [[nodiscard]] step_metrics metrics_of(const metrics_by_file& all, const training_step& at) const {
    const auto found = all.find(name_of(at));
    return found == all.end() ? step_metrics() : found->second;
  }

  /// Deletes the checkpoints up to `saved` that `policy` does not preserve, but never that of `saved`, from the oldest
  /// on. What comes after it is of another run: the policy is not shown it. The newest that stays is on the disk before
  /// the first of them is gone, where `done` does not say that it is already. What goes wrong is reported, not thrown,
  /// for the save before it has succeeded. A power cut may bring back what is deleted: the next call deletes it again.
  [[nodiscard]] deletion_report delete_others(const preservation& policy, const training_step& saved,
                                              durability done) const {
    deletion_report report;
    try {
      std::vector<checkpoint> all = checkpoints();
      std::erase_if(all, [&](const checkpoint& each) { return is_earlier(saved, each); });
      std::vector<const checkpoint*> condemned;
      const checkpoint* newest = nullptr;  // that stays
      for (std::size_t i = 0; i < all.size(); ++i) {
        if (!is_same_step(all[i], saved) && !policy.preserves(all, i)) condemned.push_back(&all[i]);
        else newest = &all[i];
      }
      if (condemned.empty()) return report;
      const directory opened(m_path, directory::use::with_sync, m_path);
      if (newest != nullptr && done != durability::full) {
        file_descriptor::open_for_reading(newest->path).sync();
        opened.sync("old checkpoints are all there, for the new one may not last");
      }
      for (const checkpoint* const each : condemned) remove(opened, *each, report);
    } catch (const error& e) {
      report.errors.push_back(e);
    } catch (const std::exception& e) {  // of a policy of the caller's, say
      report.errors.push_back(error(errc::invalid_argument, {.path = m_path},
                                    concat({"the old checkpoints are all there, for the policy failed: ", e.what()})));
    }
    return report;
  }

  /// Deletes all checkpoints that come after `last`, from the newest on, and returns when that is on the disk. None of
  /// them is being written by a save of this process; a process that has outlived its parent finds its temporary file
  /// gone when it comes to name it. What cannot be deleted is reported. Throws io_error where the directory cannot be
  /// read or synced.
  [[nodiscard]] deletion_report delete_after(const training_step& last) const {
    deletion_report report;
    const directory opened(m_path, directory::use::with_sync, m_path);
    for (const std::string& name : list_directory(m_path))
      if (const auto at = parse_step_name(target_of_temporary(name), m_prefix, m_suffix); at && is_earlier(last, *at))
        if (const std::error_code cause = opened.remove(name))
          report.errors.push_back(io_error(cause, {.path = within(name)}, "cannot delete the temporary file"));
    const std::vector<checkpoint> all = files();
    for (auto each = all.rbegin(); each != all.rend() && is_earlier(last, *each); ++each) remove(opened, *each, report);
    if (!report.deleted.empty()) opened.sync("checkpoints are deleted, but a power cut may bring them back");
    return report;
  }

 private:
  [[nodiscard]] directory open_directory() const { return {m_path, directory::use::without_sync, m_path}; }

  void remove(const directory& from, const checkpoint& each, deletion_report& report) const {
    if (const std::error_code cause = from.remove(name_of(each)))
      report.errors.push_back(io_error(cause, {.path = each.path}, "cannot delete the old checkpoint"));
    else report.deleted.push_back(each.path);
  }

  [[nodiscard]] std::string name_of(const training_step& at) const { return step_name(m_prefix, at, m_suffix); }
  [[nodiscard]] std::string metrics_name() const { return concat({m_prefix, "-metrics.json"}); }
  [[nodiscard]] std::string within(std::string_view name) const {
    return concat({m_path, m_path.ends_with('/') ? "" : "/", name});
  }

  std::string m_path;
  std::string m_prefix;
  std::string m_suffix;
};

}  // namespace ckpt

#endif
