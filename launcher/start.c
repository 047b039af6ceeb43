/* The first instructions: the kernel leaves argc, argv and the environment on the stack. */
#include "run.h"
#include "sys.h"

char **launcher_env;
static char **words;

__attribute__((used)) _Noreturn static void start(long *stack) {
  int argc = (int)stack[0];
  char **argv = (char **)(stack + 1);
  launcher_env = argv + argc + 1;
  words = argv;
  sys_exit(launcher_main(argc, argv));
}

/*
 * long clone_with_stack(unsigned long flags, void *stack_end, void (*function)(void)): clone(2) for a child that shares
 * this memory and so needs a stack of its own; it calls the function and exits with 0.
 */
#if defined(__x86_64__)
__asm__(".globl clone_with_stack\nclone_with_stack:\n mov %rdx,-8(%rsi)\n sub $8,%rsi\n mov $56,%eax\n xor %edx,%edx\n xor %r10d,%r10d\n"
        " xor %r8d,%r8d\n syscall\n test %rax,%rax\n jz 1f\n ret\n1: xor %ebp,%ebp\n pop %rax\n call *%rax\n mov $60,%eax\n xor %edi,%edi\n syscall\n");
#else
__asm__(".globl clone_with_stack\nclone_with_stack:\n str x2,[x1,#-16]!\n mov x2,#0\n mov x3,#0\n mov x4,#0\n mov x8,#220\n svc 0\n"
        " cbz x0,1f\n ret\n1: ldr x2,[sp],#16\n mov x29,#0\n blr x2\n mov x8,#93\n mov x0,#0\n svc 0\n");
#endif

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

void hide_words(void) {
  if (!words[0]) return;
  size_t room = strlen(words[0]);
  for (char **word = words; *word; word++) memset(*word, 0, strlen(*word));
  text_copy(words[0], room + 1, "brig-init");
}
