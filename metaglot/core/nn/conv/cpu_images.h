/* What the convolution and its two gradients share: images as rows of numbers, and how work is cut.

   Images lie as [tasks, images, height, width, channels], so a pixel is a row of numbers. All three operations are
   products of such rows and matrices, one for each of a kernel's nine taps, in tiles that stay in the registers. A pixel
   outside its image is a row of zeros. Each sum is in order, and parts of a sum are cut alike for any number of threads.
   REAL is float or double, WIDTH what the features that come out are a multiple of. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    TAPS = 9,
    LINE = 64, /* bytes of the cache that come together */
    VECTOR = 32 / sizeof(REAL),
    PANEL = 2 * VECTOR, /* a tile's width, in features */
    ROWS = 6,           /* its height, in pixels or in numbers of a patch */
    PIXELS = 1250,      /* for a thread at a time, about: images are not cut */
    UNITS = 8,          /* of work, where there are so many images: for as many threads */
};

_Static_assert(WIDTH % PANEL == 0, "panels fill what comes out");

#define INLINE static inline __attribute__((always_inline))
typedef REAL Vector __attribute__((vector_size(32), aligned(sizeof(REAL)), may_alias));
typedef struct { long height, width, channels; } Size; /* of an image */
typedef struct { long task, first, images; } Unit;

INLINE long smaller(long a, long b) { return a < b ? a : b; }
INLINE long larger(long a, long b) { return a > b ? a : b; }
INLINE long rounded_up(long count, long multiple) { return (count + multiple - 1) / multiple * multiple; }
INLINE long image_size(Size s) { return s.height * s.width * s.channels; }

/* Into how many parts a task's images are cut. */
INLINE long parts(long tasks, long images, Size after)
{
    const long pixels = images * after.height * after.width;
    const long few = tasks ? rounded_up(UNITS, tasks) / tasks : 1, many = rounded_up(pixels, PIXELS) / PIXELS;
    return larger(1, smaller(images, larger(few, many)));
}

INLINE Unit unit_of(long number, long each, long images)
{
    const long task = number / each, low = images * (number % each) / each, high = images * (number % each + 1) / each;
    return (Unit){task, task * images + low, high - low};
}

/* Numbers that are 0. */
INLINE REAL *zeroed(long count)
{
    const size_t size = rounded_up(count * sizeof(REAL), LINE);
    REAL *memory = aligned_alloc(LINE, size);
    if (!memory) {
        perror("a convolution");
        abort();
    }
    return memset(memory, 0, size);
}

INLINE const REAL *pixel(const REAL *image, Size size, long row, long column, const REAL *zeros)
{
    const int inside = row >= 0 && column >= 0 && row < size.height && column < size.width;
    return inside ? image + (row * size.width + column) * size.channels : zeros;
}

#define SIZES long tasks, long images, long height, long width, long channels, long high, long wide, long features
#define BEFORE_AND_AFTER                                                                   \
    const Size before = {height, width, channels}, after = {high, wide, features};         \
    const long each = parts(tasks, images, after);

