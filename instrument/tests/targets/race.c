/* Opens a path that another thread changes all the time between two files that exist, and prints how
 * often each of them was really opened. Ends when both have won often enough. */
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static union {
  char text[16];
  volatile uint64_t words[2];
} path;
static volatile int is_over;

static void *change(void *unused) {
  (void)unused;
  union {
    char text[16];
    uint64_t words[2];
  } one = {"./secret"}, other = {"./public"};
  while (!is_over) {
    path.words[0] = one.words[0];
    for (volatile int i = 0; i < 200; i++) {
    }
    path.words[0] = other.words[0];
    for (volatile int i = 0; i < 200; i++) {
    }
  }
  return NULL;
}

int main(int argc, char **argv) {
  if (argc != 2 || chdir(argv[1]) != 0)
    return 2;
  struct stat secret;
  if (stat("secret", &secret) != 0)
    return 2;
  strcpy(path.text, "./public");
  pthread_t thread;
  pthread_create(&thread, NULL, change, NULL);
  int secrets = 0, others = 0;
  for (int i = 0; i < 20000 && (secrets < 200 || others < 200); i++) {
    int fd = open(path.text, O_RDONLY);
    struct stat opened;
    if (fd < 0 || fstat(fd, &opened) != 0)
      return 3;
    if (opened.st_ino == secret.st_ino)
      secrets++;
    else
      others++;
    close(fd);
  }
  is_over = 1;
  pthread_join(thread, NULL);
  printf("%d\n", secrets);
  return 0;
}
