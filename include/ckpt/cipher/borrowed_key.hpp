#ifndef CKPT_CIPHER_BORROWED_KEY_HPP
#define CKPT_CIPHER_BORROWED_KEY_HPP

namespace ckpt {

class secret_key;

/// The key of an option: borrowed for the call. A temporary would be gone, and wiped, when the options are used later:
/// keep the key in a variable.
class borrowed_key {
 public:
  constexpr borrowed_key() noexcept = default;
  constexpr borrowed_key(const secret_key& key) noexcept : m_key(&key) {}  // NOLINT(google-explicit-constructor)
  borrowed_key(const secret_key&&) = delete;

  /// nullptr where none was given.
  [[nodiscard]] constexpr const secret_key* get() const noexcept { return m_key; }

 private:
  const secret_key* m_key = nullptr;
};

}  // namespace ckpt

#endif
