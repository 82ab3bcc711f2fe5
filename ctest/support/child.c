/*
 * child: fork, a pipe for the standard error stream, wait.
 */
#include "support/child.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* Reads to the end, so that the child never waits or is stopped for having said
 * too much; keeps what fits. */
static void
read_text(int fd, char *text, size_t room)
{
  char more[CHILD_TEXT_BYTES];
  size_t size = 0;
  ssize_t got = read(fd, more, sizeof more);
  while (got > 0) {
    size_t left = room - 1 - size;
    size_t kept = (size_t)got < left ? (size_t)got : left;
    memcpy(text + size, more, kept);
    size += kept;
    got = read(fd, more, sizeof more);
  }
  text[size] = '\0';
}

child
child_start(int (*run)(void *arg), void *arg)
{
  int pipe_fds[2];
  assert_int_equal(pipe(pipe_fds), 0);
  pid_t pid = fork();
  assert_true(pid >= 0);
  if (pid == 0) {
    signal(SIGABRT, SIG_DFL);
    dup2(pipe_fds[1], STDERR_FILENO);
    close(pipe_fds[0]);
    close(pipe_fds[1]);
    _exit(run(arg));
  }
  close(pipe_fds[1]);
  return (child){.pid = pid, .said = pipe_fds[0]};
}

child_end
child_finish(child running)
{
  child_end end = {.exit_status = -1};
  read_text(running.said, end.said, sizeof end.said);
  close(running.said);
  int status = 0;
  assert_int_equal(waitpid(running.pid, &status, 0), running.pid);
  end.has_aborted = WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
  if (WIFEXITED(status)) {
    end.exit_status = WEXITSTATUS(status);
  }
  return end;
}

child_end
child_run(int (*run)(void *arg), void *arg)
{
  return child_finish(child_start(run, arg));
}
