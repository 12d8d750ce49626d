#ifndef CKPT_VERSION_HPP
#define CKPT_VERSION_HPP

#if __cplusplus < 202002L
#error "ckpt needs C++20: compile with -std=c++20"
#endif

#define CKPT_VERSION_MAJOR 0
#define CKPT_VERSION_MINOR 1
#define CKPT_VERSION_PATCH 0
#define CKPT_VERSION_STRING "0.1.0"

#endif
