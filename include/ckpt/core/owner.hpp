#ifndef CKPT_CORE_OWNER_HPP
#define CKPT_CORE_OWNER_HPP

#include <type_traits>

namespace ckpt {

/// The only owner of an object that was made by new: what this library needs of a std::unique_ptr, at a fraction of the
/// time to compile.
template <class T>
class owner {
 public:
  owner() noexcept = default;
  explicit owner(T* object) noexcept : m_object(object) {}
  owner(owner&& other) noexcept : m_object(other.release()) {}
  /// Of a class that derives from T, whose destructor is virtual.
  template <class Derived>
    requires(!std::is_same_v<Derived, T> && std::is_convertible_v<Derived*, T*>)
  owner(owner<Derived>&& other) noexcept : m_object(other.release()) {}  // NOLINT(google-explicit-constructor)
  owner& operator=(owner&& other) noexcept {
    if (this != &other) {
      delete m_object;
      m_object = other.release();
    }
    return *this;
  }
  ~owner() { delete m_object; }

  /// Gives the object away.
  [[nodiscard]] T* release() noexcept {
    T* const object = m_object;
    m_object = nullptr;
    return object;
  }

  [[nodiscard]] T* get() const noexcept { return m_object; }
  [[nodiscard]] T& operator*() const noexcept { return *m_object; }
  [[nodiscard]] T* operator->() const noexcept { return m_object; }

 private:
  T* m_object = nullptr;
};

}  // namespace ckpt

#endif
