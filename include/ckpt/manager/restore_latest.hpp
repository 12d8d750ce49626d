#ifndef CKPT_MANAGER_RESTORE_LATEST_HPP
#define CKPT_MANAGER_RESTORE_LATEST_HPP

#include <exception>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <ckpt/checkpoint/load.hpp>
#include <ckpt/checkpoint/options.hpp>
#include <ckpt/checkpoint/policies.hpp>
#include <ckpt/core/error.hpp>
#include <ckpt/io/file_source.hpp>
#include <ckpt/manager/checkpoint_directory.hpp>
#include <ckpt/manager/training_step.hpp>
#include <ckpt/model/state_dict.hpp>

namespace ckpt {

/// A checkpoint that has been loaded.
struct restored_checkpoint {
  checkpoint from;
  state_dict model;
  std::vector<error> skipped{};  ///< why newer files were passed over, the newest first, or the file of metrics
};

namespace detail {

/// One look at the directory. Nothing, too, where `has_changed` says afterwards that a file has gone meanwhile.
template <class... Policies>
[[nodiscard]] std::optional<restored_checkpoint> restore_latest_once(const checkpoint_directory& directory,
                                                                     const load_options& options, bool& has_changed) {
  std::vector<checkpoint> all = directory.files();
  std::vector<error> skipped;
  try {
    directory.add_metrics(all);
  } catch (const error& e) {
    skipped.push_back(e);
  }
  std::exception_ptr of_the_newest;
  for (; !all.empty(); all.pop_back()) {
    try {
      // A file without a byte is a checkpoint of nothing, as save writes it; here it is what a power cut leaves.
      if (file_source(all.back().path).size() == 0)
        throw format_error(errc::truncated, {.path = all.back().path}, "is empty: it was not written to its end");
      return restored_checkpoint{all.back(), load<Policies...>(all.back().path, options), std::move(skipped)};
    } catch (const usage_error&) {
      throw;  // of the call, not of the file: a missing key must not look as if nothing had been saved
    } catch (const error& e) {
      has_changed = !directory.has(all.back());
      if (has_changed) return std::nullopt;
      skipped.push_back(e);
      if (of_the_newest == nullptr) of_the_newest = std::current_exception();
    }
  }
  if (of_the_newest != nullptr) std::rethrow_exception(of_the_newest);
  return std::nullopt;
}

template <class... Policies>
[[nodiscard]] std::optional<restored_checkpoint> restore_latest_of(const checkpoint_directory& directory,
                                                                   const load_options& options) {
  for (;;) {  // each time round a manager has saved and deleted one
    bool has_changed = false;
    std::optional<restored_checkpoint> found = restore_latest_once<Policies...>(directory, options, has_changed);
    if (!has_changed) return found;
  }
}

}  // namespace detail

/// The checkpoints `prefix-epoch_step` in a directory, from the oldest to the newest, with the suffix of the format
/// among the policies (.ckpt where there is none). Needs no lock: a checkpoint_manager may be at work. Throws io_error
/// where the directory or the file of metrics cannot be read, format_error where that is none.
template <class... Policies>
[[nodiscard]] std::vector<checkpoint> find_checkpoints(std::string directory, std::string prefix) {
  return checkpoint_directory(std::move(directory), std::move(prefix), policy_set<Policies...>::format::suffix)
      .checkpoints();
}

/// Loads the newest of these checkpoints that loads; nothing where there is none. A cipher or a checksum
/// among the policies covers every byte of it; without one, only what the structure shows is found, so not other
/// numbers in a tensor, nor a ckpt file that ends between two tensors. Where none loads, throws what the newest one's
/// load threw; usage_error in any case. Needs no lock.
template <class... Policies>
[[nodiscard]] std::optional<restored_checkpoint> restore_latest(std::string directory, std::string prefix,
                                                                const load_options& options = {}) {
  return detail::restore_latest_of<Policies...>(
      checkpoint_directory(std::move(directory), std::move(prefix), policy_set<Policies...>::format::suffix), options);
}

}  // namespace ckpt

#endif
