// What the tests load in place of NVIDIA's library. SCENARIO says what it has and does.
#include <stddef.h>
#include <string.h>

#define TWO 1
#define MIG 2
#define TROUBLE 3
#define STRANGE 4
#define MANY 5
#define NO_DRIVER 6
#define MISMATCH 7
#define HANG 8
#define SILENT 9
#define LOST_PARTS 10

enum { SUCCESS = 0, UNINITIALIZED = 1, NOT_SUPPORTED = 3, NO_PERMISSION = 4, NOT_FOUND = 6,
       DRIVER_NOT_LOADED = 9, LOST = 15, LIB_RM_VERSION_MISMATCH = 18 };

struct device {
	const char *name, *uuid;
	unsigned long long total, free;
	int major, minor;
	int handle, called, uuid_known, memory, compute; // what asking for them returns
	int mig;
	struct device *parts[7];
};

struct memory { unsigned long long total, free, used; };

#define GIB (1ULL << 30)

#if SCENARIO == TWO || SCENARIO == HANG
static struct device devices[] = {
	{"NVIDIA GeForce RTX 3090", "GPU-8a54bb1c-0000-4000-8000-000000000001", 24 * GIB, 20 * GIB, 8, 6},
	{"NVIDIA H100 80GB HBM3", "GPU-8a77cc2d-0000-4000-8000-000000000002", 80 * GIB, 79 * GIB, 9, 0},
};
#elif SCENARIO == MIG || SCENARIO == LOST_PARTS
static struct device one = {"NVIDIA A100-SXM4-40GB MIG 3g.20gb", "MIG-11111111-aaaa-4000-8000-000000000001", 20 * GIB, 19 * GIB};
static struct device two = {"NVIDIA A100-SXM4-40GB MIG 1g.5gb", "MIG-22222222-bbbb-4000-8000-000000000002", 5 * GIB, 4 * GIB};
static struct device devices[] = {
	{"NVIDIA A100-SXM4-40GB", "GPU-aaaaaaaa-0000-4000-8000-000000000001", 40 * GIB, 1 * GIB, 8, 0, .mig = 1, .parts = {&one, NULL, &two}},
	{"NVIDIA A100-SXM4-40GB", "GPU-bbbbbbbb-0000-4000-8000-000000000002", 40 * GIB, 39 * GIB, 8, 0},
};
#elif SCENARIO == TROUBLE
static struct device devices[] = {
	{.handle = LOST},
	{.handle = NO_PERMISSION},
	{"NVIDIA L4", "GPU-cccccccc-0000-4000-8000-000000000003", 24 * GIB, 24 * GIB, 8, 9, .mig = 0},
	{"NVIDIA GB10", "GPU-dddddddd-0000-4000-8000-000000000004", 1, 1, 12, 1, .memory = NOT_SUPPORTED},
};
#elif SCENARIO == SILENT
static struct device devices[] = {
	{"NVIDIA Mute", "GPU-1", GIB, GIB, 8, 6, .compute = NOT_SUPPORTED},
	{"NVIDIA Nameless", "GPU-2", GIB, GIB, 8, 6, .called = LOST},
	{"NVIDIA Unlisted", "GPU-3", GIB, GIB, 8, 6, .uuid_known = LOST},
	{"NVIDIA Forgetful", "GPU-4", GIB, GIB, 8, 6, .memory = LOST},
};
#elif SCENARIO == STRANGE
// 96 bytes without an end, an escape, no name at all, and more memory than there is.
static struct device devices[] = {
	{"\x1b[2Jxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
	 "GPU-1", GIB, GIB, 8, 6},
	{"\x80\xff\n::error::", "GPU-2", GIB, GIB, -1, -1},
	{"", "GPU-3", GIB, GIB, 8, 6},
	{"NVIDIA Rich", "GPU-4", ~0ULL, ~0ULL, 8, 6},
};
#else
static struct device devices[1] = {{"NVIDIA Many", "GPU-many", GIB, GIB, 8, 6}};
#endif

static int running;

#if SCENARIO == HANG
#include <fcntl.h>
#include <unistd.h>

// The first call waits until the pipe has been opened and closed.
static void hang(void) {
	static int calls;
	char c;
	int pipe;
	if (calls++ > 0 || (pipe = open(PIPE, O_RDONLY)) < 0)
		return;
	while (read(pipe, &c, 1) > 0) {}
	close(pipe);
}
#else
static void hang(void) {}
#endif

int nvmlInit_v2(void) {
	hang();
	if (SCENARIO == NO_DRIVER) return DRIVER_NOT_LOADED;
	if (SCENARIO == MISMATCH) return LIB_RM_VERSION_MISMATCH;
	running++;
	return SUCCESS;
}

int nvmlShutdown(void) {
	if (running == 0) return UNINITIALIZED;
	running--;
	return SUCCESS;
}

const char *nvmlErrorString(int status) {
	switch (status) {
	case LOST: return "GPU is lost\n::error::";
	case LIB_RM_VERSION_MISMATCH: return "Driver/library version mismatch";
	}
	return "Unknown Error";
}

int nvmlSystemGetCudaDriverVersion(int *version) {
	*version = SCENARIO == STRANGE ? -5 : 12040;
	return SCENARIO == SILENT ? NOT_SUPPORTED : SUCCESS;
}

int nvmlDeviceGetCount_v2(unsigned *count) {
	if (running != 1) return UNINITIALIZED; // one read at a time, each with an end
	*count = SCENARIO == MANY ? ~0U : sizeof devices / sizeof *devices;
	return SUCCESS;
}

int nvmlDeviceGetHandleByIndex_v2(unsigned index, struct device **found) {
	*found = SCENARIO == MANY ? &devices[0] : &devices[index];
	return (*found)->handle;
}

int nvmlDeviceGetName(struct device *d, char *name, unsigned size) {
	strncpy(name, d->name, size);
	return d->called;
}

int nvmlDeviceGetUUID(struct device *d, char *uuid, unsigned size) {
	strncpy(uuid, d->uuid, size);
	return d->uuid_known;
}

int nvmlDeviceGetMemoryInfo(struct device *d, struct memory *memory) {
	if (d->memory != SUCCESS) return d->memory;
	memory->total = d->total;
	memory->free = d->free;
	memory->used = d->total - d->free;
	return SUCCESS;
}

int nvmlDeviceGetCudaComputeCapability(struct device *d, int *major, int *minor) {
	*major = d->major;
	*minor = d->minor;
	return d->compute;
}

#if SCENARIO != TWO // a driver that is older than MIG

int nvmlDeviceGetMigMode(struct device *d, unsigned *now, unsigned *later) {
	if (SCENARIO != MIG && SCENARIO != LOST_PARTS && SCENARIO != STRANGE) return NOT_SUPPORTED;
	*now = *later = d->mig;
	return SUCCESS;
}

int nvmlDeviceGetMaxMigDeviceCount(struct device *d, unsigned *count) {
	if (SCENARIO == LOST_PARTS) return LOST;
	*count = 7;
	return SUCCESS;
}

int nvmlDeviceGetMigDeviceHandleByIndex(struct device *d, unsigned index, struct device **found) {
	*found = d->parts[index];
	return *found ? SUCCESS : NOT_FOUND;
}

#endif
