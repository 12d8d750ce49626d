#ifndef CKPT_MANAGER_HPP
#define CKPT_MANAGER_HPP

/// Checkpoints of a training: when to save, which to keep, and the newest one that loads. Needs nothing but the
/// standard library.

#include <ckpt/version.hpp>  // first: it says which C++ this needs

#include <ckpt/async.hpp>
#include <ckpt/manager/any_of.hpp>
#include <ckpt/manager/checkpoint_manager.hpp>
#include <ckpt/manager/every_n_steps.hpp>
#include <ckpt/manager/preservation.hpp>
#include <ckpt/manager/restore_latest.hpp>
#include <ckpt/manager/save_decision.hpp>

#endif
