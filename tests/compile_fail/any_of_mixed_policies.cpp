// expect: ckpt::any_of: its policies must all say when to save (should_save), or all what to keep (preserves)
#include <ckpt/manager.hpp>

bool keep(const ckpt::preservation& policy) {
#ifdef BAD
  ckpt::any_of{ckpt::latest_n{3}, ckpt::every_n_seconds{60}};
#endif
  return policy.preserves({}, 0);
}

bool keep() { return keep(ckpt::any_of{ckpt::latest_n{3}, ckpt::every_n_steps{1000}}); }
