#include <ckpt/ckpt.hpp>

int main() { return 0; }
