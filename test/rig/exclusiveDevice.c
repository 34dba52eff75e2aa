// Makes one ALSA device exclusive, as hardware is: whoever opens it for capture while somebody else has it is told
// EBUSY. A sound server lets everybody in, so that without this nothing shows whether a device was given back.
// LD_PRELOAD it; EXCLUSIVE_DEVICE names the device, EXCLUSIVE_LOCK the file whose lock stands for it.
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

enum { CAPTURE = 1, MOST = 16 };

static struct { void *pcm; int lock; } held[MOST];

// libasound comes in with dlopen(), out of sight of RTLD_NEXT.
static void *original(const char *name) {
  return dlsym(dlopen("libasound.so.2", RTLD_NOW), name);
}

int snd_pcm_open(void **pcm, const char *name, int stream, int mode) {
  int (*open_pcm)(void **, const char *, int, int) = original("snd_pcm_open");
  const char *exclusive = getenv("EXCLUSIVE_DEVICE");
  if (exclusive == NULL || strcmp(name, exclusive) != 0 || stream != CAPTURE) return open_pcm(pcm, name, stream, mode);
  int lock = open(getenv("EXCLUSIVE_LOCK"), O_CREAT | O_RDWR | O_CLOEXEC, 0600);
  if (flock(lock, LOCK_EX | LOCK_NB) != 0) {
    close(lock);
    return -EBUSY;
  }
  int result = open_pcm(pcm, name, stream, mode);
  if (result < 0) {
    close(lock);
    return result;
  }
  for (int i = 0; i < MOST; i++) {
    if (held[i].pcm != NULL) continue;
    held[i].pcm = *pcm;
    held[i].lock = lock;
    return result;
  }
  abort();
}

int snd_pcm_close(void *pcm) {
  int (*close_pcm)(void *) = original("snd_pcm_close");
  int result = close_pcm(pcm);
  for (int i = 0; i < MOST; i++) {
    if (held[i].pcm != pcm) continue;
    held[i].pcm = NULL;
    close(held[i].lock);
  }
  return result;
}
