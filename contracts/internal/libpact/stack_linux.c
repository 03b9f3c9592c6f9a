//go:build pact

// The library overruns the stack that musl gives to a thread, 128 KiB. The 8 MiB that glibc gives
// are the most that can be asked for.

#define _GNU_SOURCE
#include <pthread.h>

#ifndef __GLIBC__
__attribute__((constructor)) static void enlarge_stacks(void) {
	pthread_attr_t attr;
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 8 << 20);
	pthread_setattr_default_np(&attr);
}
#endif
