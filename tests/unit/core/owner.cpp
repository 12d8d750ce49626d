#include <ckpt/core/owner.hpp>

#include <doctest/doctest.h>

#include <type_traits>
#include <utility>

using ckpt::owner;

namespace {

struct counted {
  explicit counted(int& alive) : m_alive(alive) { ++m_alive; }
  counted(const counted&) = delete;
  counted& operator=(const counted&) = delete;
  ~counted() { --m_alive; }
  [[nodiscard]] int alive() const { return m_alive; }

 private:
  int& m_alive;
};

static_assert(!std::is_copy_constructible_v<owner<counted>> && !std::is_copy_assignable_v<owner<counted>>);
static_assert(!std::is_convertible_v<counted*, owner<counted>>);

}  // namespace

TEST_CASE("owner: the object lives as long as it") {
  int alive = 0;
  {
    const owner<const counted> kept(new counted(alive));
    CHECK(kept->alive() == 1);
    CHECK(&*kept == kept.get());
  }
  CHECK(alive == 0);
  CHECK(owner<counted>().get() == nullptr);
}

TEST_CASE("owner: a move hands the object on") {
  int alive = 0;
  owner<counted> first(new counted(alive));
  counted* const object = first.get();
  owner<counted> second = std::move(first);
  CHECK(second.get() == object);
  CHECK(alive == 1);
  owner<counted> third(new counted(alive));
  CHECK(alive == 2);
  third = std::move(second);
  CHECK(third.get() == object);
  CHECK(alive == 1);
  owner<counted>& itself = third;
  third = std::move(itself);
  CHECK(third.get() == object);
  third = owner<counted>();
  CHECK(alive == 0);
}
