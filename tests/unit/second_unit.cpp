// A second translation unit with every header: a function that is not inline is a link error here.
#if __has_include(<ckpt/ckpt.hpp>)
#include <ckpt/ckpt.hpp>
#include <ckpt/manager.hpp>
#endif
