#ifndef CKPT_CIPHER_DECRYPTION_HPP
#define CKPT_CIPHER_DECRYPTION_HPP

#include <ckpt/cipher/secret_key.hpp>

namespace ckpt {

/// How an encrypted file is to be read.
struct decryption {
  const secret_key* key = nullptr;
  unsigned threads = 0;         ///< that decrypt; 0: one for each core
  bool allow_unsealed = false;  ///< whether to take a file that nothing vouches for as a whole
};

}  // namespace ckpt

#endif
