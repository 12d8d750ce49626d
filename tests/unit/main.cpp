#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#if __has_include(<ckpt/ckpt.hpp>)
#include <ckpt/ckpt.hpp>
#endif
