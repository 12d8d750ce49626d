#include <ckpt/cipher/borrowed_key.hpp>

#include <doctest/doctest.h>

#include <type_traits>

#include <ckpt/cipher/secret_key.hpp>

using namespace ckpt;

static_assert(!std::is_constructible_v<borrowed_key, secret_key>, "a temporary key would be gone when it is used");

TEST_CASE("borrowed_key: of a key that stays, or none") {
  const secret_key key = secret_key::from_text("k");
  CHECK(borrowed_key(key).get() == &key);
  CHECK(borrowed_key().get() == nullptr);
}
