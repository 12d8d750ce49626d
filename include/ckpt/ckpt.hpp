#ifndef CKPT_CKPT_HPP
#define CKPT_CKPT_HPP

/// Saving and loading checkpoints of neural networks. Needs nothing but the standard library.

#include <ckpt/version.hpp>  // first: it says which C++ this needs

#include <ckpt/checkpoint/inspect.hpp>
#include <ckpt/checkpoint/load.hpp>
#include <ckpt/checkpoint/load_into.hpp>
#include <ckpt/checkpoint/options.hpp>
#include <ckpt/checkpoint/reader.hpp>
#include <ckpt/checkpoint/save.hpp>
#include <ckpt/format/mindspore.hpp>
#include <ckpt/format/safetensors.hpp>
#include <ckpt/model/parameter.hpp>
#include <ckpt/model/state_dict.hpp>
#include <ckpt/tensor/tensor.hpp>

#endif
