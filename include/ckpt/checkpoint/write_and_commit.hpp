#ifndef CKPT_CHECKPOINT_WRITE_AND_COMMIT_HPP
#define CKPT_CHECKPOINT_WRITE_AND_COMMIT_HPP

#include <ckpt/checkpoint/options.hpp>
#include <ckpt/checkpoint/stopwatch.hpp>
#include <ckpt/core/function_ref.hpp>
#include <ckpt/io/atomic_file.hpp>

namespace ckpt::detail {

/// Lets `write` write the file, and commits it unless `is_overtaken` says otherwise; returns whether it did. Notes in
/// the report how long both took, from the last lap of `watch` on, and whether the file lasts. Allocates nothing.
template <class Write>
bool write_and_commit(
    atomic_file& file, stopwatch& watch, save_report& report, Write write,
    function_ref<bool()> is_overtaken = [] { return false; }) {
  write();
  report.seconds_written = watch.lap();
  if (!file.commit_unless(is_overtaken)) return false;
  report.seconds_synced = watch.lap();
  report.is_durable = file.is_durable();
  return true;
}

}  // namespace ckpt::detail

#endif
