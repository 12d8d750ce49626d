// expect-gcc: use of deleted function
// expect-clang: deleted
#include <ckpt/ckpt.hpp>

ckpt::load_options options(const ckpt::secret_key& key) {
#ifdef BAD
  return {.key = ckpt::secret_key::from_hex("00")};
#else
  return {.key = key};
#endif
}
