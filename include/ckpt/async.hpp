#ifndef CKPT_ASYNC_HPP
#define CKPT_ASYNC_HPP

/// Saving checkpoints in the background. Needs nothing but the standard library and POSIX.

#include <ckpt/version.hpp>  // first: it says which C++ this needs

#include <ckpt/checkpoint/save_async.hpp>
#include <ckpt/ckpt.hpp>

#endif
