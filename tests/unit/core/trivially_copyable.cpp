#include <ckpt/core/trivially_copyable.hpp>

#include <memory>
#include <string>
#include <type_traits>

namespace {

struct plain {
  int a;
  const char* b;
};
struct with_destructor {
  with_destructor() = default;
  with_destructor(const with_destructor&) = default;
  with_destructor& operator=(const with_destructor&) = default;
  ~with_destructor() {}
};

template <class... T>
constexpr bool as_the_standard_says = ((ckpt::trivially_copyable<T> == std::is_trivially_copyable_v<T>) && ...);

static_assert(ckpt::trivially_copyable<plain> && !ckpt::trivially_copyable<std::string>);
static_assert(as_the_standard_says<int, const int, int*, plain, plain[2], with_destructor, std::string,
                                   std::unique_ptr<int>, int&, void>);

}  // namespace
