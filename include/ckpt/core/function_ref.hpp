#ifndef CKPT_CORE_FUNCTION_REF_HPP
#define CKPT_CORE_FUNCTION_REF_HPP

#include <memory>
#include <type_traits>
#include <utility>

namespace ckpt {

template <class Signature>
class function_ref;

/// A parameter type for "anything callable as Result(Arguments...)". It borrows the callable: for parameters only,
/// never for members that outlive the call.
template <class Result, class... Arguments>
class function_ref<Result(Arguments...)> {
 public:
  template <class Callable>
    requires(!std::is_same_v<std::remove_cvref_t<Callable>, function_ref> &&
             requires(Callable& callable, Arguments... arguments) {
               static_cast<Result>(callable(std::forward<Arguments>(arguments)...));
             })
  function_ref(Callable&& callable) noexcept  // NOLINT(google-explicit-constructor): a parameter type
      : m_callable(erase(std::addressof(callable))), m_call([](void* erased, Arguments... arguments) -> Result {
          auto& target = *reinterpret_cast<std::add_pointer_t<std::remove_reference_t<Callable>>>(erased);
          if constexpr (std::is_void_v<Result>) target(std::forward<Arguments>(arguments)...);
          else return target(std::forward<Arguments>(arguments)...);
        }) {}

  Result operator()(Arguments... arguments) const { return m_call(m_callable, std::forward<Arguments>(arguments)...); }

 private:
  template <class Callable>
  static void* erase(Callable* callable) noexcept {
    if constexpr (std::is_function_v<Callable>) return reinterpret_cast<void*>(callable);
    else return const_cast<void*>(static_cast<const void*>(callable));
  }

  void* m_callable;
  Result (*m_call)(void*, Arguments...);
};

}  // namespace ckpt

#endif
