#ifndef CKPT_CRYPTO_HPP
#define CKPT_CRYPTO_HPP

/// Encrypted checkpoints. Including it means linking Crypto++ (-lcryptopp, -pthread).

#include <ckpt/version.hpp>  // first: it says which C++ this needs

#include <ckpt/checkpoint/encryption.hpp>
#include <ckpt/cipher/aes_cbc.hpp>
#include <ckpt/cipher/aes_gcm.hpp>
#include <ckpt/cipher/sm4_cbc.hpp>
#include <ckpt/ckpt.hpp>

#endif
