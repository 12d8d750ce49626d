#ifndef CKPT_CORE_KEEPER_HPP
#define CKPT_CORE_KEEPER_HPP

#include <type_traits>
#include <utility>

#include <ckpt/core/trivial_swap.hpp>

namespace ckpt {

/// Keeps objects of any type alive, where they stay, as long as itself. They go in the reverse order.
class keeper {
 public:
  keeper() noexcept = default;
  keeper(keeper&& other) noexcept { trivial_swap(m_last, other.m_last); }
  keeper& operator=(keeper&& other) noexcept {
    trivial_swap(m_last, other.m_last);
    return *this;
  }
  ~keeper() {
    while (m_last != nullptr) {
      const held* const gone = m_last;
      m_last = gone->previous;
      delete gone;
    }
  }

  /// Keeps a temporary, and returns it where it stays.
  template <class T>
    requires(!std::is_lvalue_reference_v<T>)
  T& hold(T&& temporary) {
    return keep(new held_value<T>(std::forward<T>(temporary)));
  }

  /// The same of what a call returns, which need not be movable.
  template <class Make>
  auto& hold_result(const Make& make) {
    return keep(new held_value<std::remove_cvref_t<decltype(make())>>(from_call(), make));
  }

 private:
  struct held {
    held() = default;
    held(const held&) = delete;
    held& operator=(const held&) = delete;
    virtual ~held() = default;
    held* previous = nullptr;
  };
  struct from_call {};
  template <class T>
  struct held_value final : held {
    explicit held_value(T&& temporary) : value(std::move(temporary)) {}
    template <class Make>
    held_value(from_call /*unused*/, const Make& make) : value(make()) {}
    T value;
  };

  template <class T>
  T& keep(held_value<T>* kept) noexcept {
    kept->previous = m_last;
    m_last = kept;
    return kept->value;
  }

  held* m_last = nullptr;
};

}  // namespace ckpt

#endif
