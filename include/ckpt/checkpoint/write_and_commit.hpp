#ifndef CKPT_CHECKPOINT_WRITE_AND_COMMIT_HPP
#define CKPT_CHECKPOINT_WRITE_AND_COMMIT_HPP

#include <ckpt/checkpoint/options.hpp>
#include <ckpt/checkpoint/stopwatch.hpp>
#include <ckpt/io/atomic_file.hpp>

namespace ckpt::detail {

/// Lets `write` write the file, and commits it. Notes in the report how long both took, from the last lap of `watch`
/// on, and whether the file lasts. Allocates nothing.
template <class Write>
void write_and_commit(atomic_file& file, stopwatch& watch, save_report& report, Write write) {
  write();
  report.seconds_written = watch.lap();
  file.commit();
  report.seconds_synced = watch.lap();
  report.is_durable = file.is_durable();
}

}  // namespace ckpt::detail

#endif
