#ifndef CKPT_IO_RANDOM_HPP
#define CKPT_IO_RANDOM_HPP

#include <cstddef>
#include <string>

#include <sys/random.h>

#include <ckpt/core/byte_span.hpp>
#include <ckpt/io/system_call.hpp>

namespace ckpt {

/// Fills `to` from the operating system's generator. Throws io_error, which names `path` as what they are for.
inline void fill_random(byte_span to, const std::string& path) {
  constexpr std::size_t largest_call = 256;  // getentropy's limit
  for (std::size_t done = 0; done < to.size();) {
    const std::size_t size = to.size() - done < largest_call ? to.size() - done : largest_call;
    if (uninterrupted([&] { return ::getentropy(to.data() + done, size); }) != 0)
      throw_io_error(last_error(), path, "cannot draw random bytes");
    done += size;
  }
}

}  // namespace ckpt

#endif
