#include <cstddef>
#include <optional>
#include <span>
#include <string>

#include <ckpt/checkpoint/with_policies.hpp>
#include <ckpt/cipher/aes_cbc.hpp>
#include <ckpt/cipher/aes_gcm.hpp>
#include <ckpt/cipher/encrypted_blocks.hpp>
#include <ckpt/cipher/known_ciphers.hpp>
#include <ckpt/cipher/secret_key.hpp>
#include <ckpt/cipher/sm4_cbc.hpp>
#include <ckpt/core/error.hpp>
#include <ckpt/core/hexadecimal.hpp>
#include <ckpt/core/owner.hpp>
#include <ckpt/io/source.hpp>

#include "checkpoint_file.hpp"
#include "commands.hpp"

namespace ckpt::tools {

exit_code key(const key_command_options& options, standard_output& out) {
  const std::optional<secret_key> given = options.key.read();
  if (!given) throw command_line_error("say where the passphrase is: --passphrase-env VAR");
  const owner<const source> file = open_source(options.file);
  const known_cipher* const cipher = find_cipher(*file);
  if (cipher == nullptr)
    throw format_error(errc::not_encrypted, {.path = file->label()}, "the file is not encrypted: it has no key");
  with_policies<aes_gcm, aes_cbc, sm4_cbc>({cipher->name}, [&]<class... Chosen>(policies<Chosen...>) {
    using chosen = typename policy_set<Chosen...>::cipher;
    if constexpr (cipher_policy<chosen>) {
      // Throws where the passphrase is another: sealed or not, the file says so.
      const encrypted_blocks<chosen> blocks(*file, {.key = &*given, .allow_unsealed = true});
      const std::span<const std::byte> key = blocks.key();
      std::string digits;
      append_hexadecimal(digits, key);
      out.print(digits + "\n");
      wipe(reinterpret_cast<std::byte*>(digits.data()), digits.size());
    }
  });
  return exit_code::fine;
}

}  // namespace ckpt::tools
