#ifndef CKPT_TESTS_SANITIZED_HPP
#define CKPT_TESTS_SANITIZED_HPP

// Defines CKPT_SANITIZED where AddressSanitizer brings its own malloc.
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define CKPT_SANITIZED
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define CKPT_SANITIZED
#endif

#endif
