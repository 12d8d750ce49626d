// expect-gcc: use of deleted function
// expect-clang: deleted
#include <ckpt/cipher/secret_key.hpp>

ckpt::secret_key second(const ckpt::secret_key& key) {
#ifdef BAD
  return key;
#else
  return key.clone();
#endif
}
