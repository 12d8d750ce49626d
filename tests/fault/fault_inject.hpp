#ifndef CKPT_TESTS_FAULT_FAULT_INJECT_HPP
#define CKPT_TESTS_FAULT_FAULT_INJECT_HPP

/// Whether calls are counted and may fail from here on; not at first. Null where the library is not preloaded.
extern "C" __attribute__((weak)) void fault_inject_arm(int on);

#endif
