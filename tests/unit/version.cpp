#include <ckpt/version.hpp>

#include <doctest/doctest.h>

#include <string>

TEST_CASE("version: the text is made of the numbers") {
  CHECK(std::to_string(CKPT_VERSION_MAJOR) + "." + std::to_string(CKPT_VERSION_MINOR) + "." +
            std::to_string(CKPT_VERSION_PATCH) ==
        CKPT_VERSION_STRING);
}
