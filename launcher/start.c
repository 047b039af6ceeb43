/* The first instructions: the kernel leaves argc, argv and the environment on the stack. */
#include "run.h"
#include "sys.h"

char **launcher_env;

__attribute__((used)) _Noreturn static void start(long *stack) {
  int argc = (int)stack[0];
  char **argv = (char **)(stack + 1);
  launcher_env = argv + argc + 1;
  sys_exit(launcher_main(argc, argv));
}

#if defined(__x86_64__)
__asm__(".globl _start\n_start:\n xor %ebp,%ebp\n mov %rsp,%rdi\n and $-16,%rsp\n call start\n");
#else
__asm__(".globl _start\n_start:\n mov x29,#0\n mov x30,#0\n mov x0,sp\n b start\n");
#endif

const char *env_get(const char *name) {
  size_t length = strlen(name);
  for (char **e = launcher_env; *e; e++)
    if (!memcmp(*e, name, length) && (*e)[length] == '=') return *e + length + 1;
  return 0;
}
