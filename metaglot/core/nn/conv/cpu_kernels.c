/* A 3x3 convolution of stride 2 with a border of one pixel, its adjoint and its gradient along the kernels; of every
   task at once, each with a kernel of its own.

   Images lie as [tasks, images, height, width, channels], so a pixel is a row of numbers. All three are products of
   such rows and matrices, one for each of a kernel's nine taps, in tiles that stay in the registers. The first two read
   the rows where they lie, the third copies the patches of RUN pixels at a time. A pixel outside its image is a row of
   zeros. Each sum is in order, and parts of a sum are cut alike for any number of threads. REAL is float or double,
   WIDTH what the features that come out are a multiple of. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    TAPS = 9,
    LINE = 64, /* bytes of the cache that come together */
    VECTOR = 32 / sizeof(REAL),
    PANEL = 2 * VECTOR, /* a tile's width, in features */
    ROWS = 6,           /* its height, in pixels or in numbers of a patch */
    RUN = 64,           /* pixels to a partial sum */
    PIXELS = 1250,      /* for a thread at a time, about: images are not cut */
    UNITS = 8,          /* of work, where there are so many images: for as many threads */
};

_Static_assert(WIDTH % PANEL == 0, "panels fill what comes out");

#define INLINE static inline __attribute__((always_inline))
typedef REAL Vector __attribute__((vector_size(32), aligned(sizeof(REAL)), may_alias));
typedef struct { long height, width, channels; } Size; /* of an image */
typedef struct { long task, first, images; } Unit;

/* The taps that reach a pixel, the offsets of each and its matrix. */
typedef struct { int count; long down[TAPS], right[TAPS]; const REAL *matrix[TAPS]; } Taps;

/* Pixels that are computed together: where each comes to lie, and the row that it takes from under each tap. */
typedef struct { int filled; REAL *to[ROWS]; const REAL *from[TAPS][ROWS]; } Tile;

INLINE long least(long a, long b) { return a < b ? a : b; }
INLINE long most(long a, long b) { return a > b ? a : b; }
INLINE long up_to(long count, long multiple) { return (count + multiple - 1) / multiple * multiple; }
INLINE long numbers(Size s) { return s.height * s.width * s.channels; }

/* Into how many parts a task's images are cut. */
INLINE long parts(long tasks, long images, Size after)
{
    const long pixels = images * after.height * after.width;
    const long few = tasks ? up_to(UNITS, tasks) / tasks : 1, many = up_to(pixels, PIXELS) / PIXELS;
    return most(1, least(images, most(few, many)));
}

INLINE Unit unit_of(long number, long each, long images)
{
    const long task = number / each, low = images * (number % each) / each, high = images * (number % each + 1) / each;
    return (Unit){task, task * images + low, high - low};
}

/* Numbers that are 0. */
INLINE REAL *room(long count)
{
    const size_t size = up_to(count * sizeof(REAL), LINE);
    REAL *found = aligned_alloc(LINE, size);
    if (!found) {
        perror("a convolution");
        abort();
    }
    return memset(found, 0, size);
}

INLINE const REAL *pixel(const REAL *image, Size size, long row, long column, const REAL *zeros)
{
    const int inside = row >= 0 && column >= 0 && row < size.height && column < size.width;
    return inside ? image + (row * size.width + column) * size.channels : zeros;
}

/* A kernel, with these strides, as matrices [TAPS, wide / PANEL, deep, PANEL]. */
INLINE void pack(const REAL *kernel, long a_tap, long deep, long a_row, long wide, long a_column, REAL *to)
{
    for (int tap = 0; tap < TAPS; tap++)
        for (long at = 0; at < wide; at += PANEL)
            for (long i = 0; i < deep; i++)
                for (long j = at; j < at + PANEL; j++) *to++ = kernel[tap * a_tap + i * a_row + j * a_column];
}

/* All of them, or of an adjoint those that reach pixels of one parity. */
INLINE Taps taps_of(int adjoint, int odd_row, int odd_column, const REAL *matrices, long numbers_of_one)
{
    Taps taps = {0};
    for (int tap = 0; tap < TAPS; tap++)
        if (!adjoint || ((tap / 3 + odd_row) % 2 && (tap % 3 + odd_column) % 2)) {
            taps.down[taps.count] = tap / 3 - 1;
            taps.right[taps.count] = tap % 3 - 1;
            taps.matrix[taps.count++] = matrices + tap * numbers_of_one;
        }
    return taps;
}

/* Each pixel of a tile, [wide]: the sum over taps of its row from there, [deep], times the tap's matrix. */
INLINE void multiply(const Taps *taps, Tile *tile, long deep, long wide)
{
    for (long at = 0; at < wide; at += PANEL) {
        Vector sum[ROWS][2] = {{{0}}};
        for (int tap = 0; tap < taps->count; tap++) {
            const Vector *by = (const Vector *)(taps->matrix[tap] + at * deep);
            const REAL *row[ROWS];
            for (int r = 0; r < ROWS; r++) row[r] = tile->from[tap][r];
            for (long k = 0; k < deep; k++, by += 2) {
                const Vector left = by[0], right = by[1];
                for (int r = 0; r < ROWS; r++) {
                    const Vector value = row[r][k] - (Vector){0};
                    sum[r][0] += value * left;
                    sum[r][1] += value * right;
                }
            }
        }
        for (int r = 0; r < ROWS; r++) {
            Vector *out = (Vector *)(tile->to[r] + at);
            out[0] = sum[r][0], out[1] = sum[r][1];
        }
    }
    tile->filled = 0;
}

/* Images `to` [out] of images `from` [in]: every pixel, or of an adjoint those of one parity. spare: zeros, and a row
   that nobody reads. */
INLINE void multiply_pixels(
    long images, const REAL *from, Size in, REAL *to, Size out, int adjoint, int odd_row, int odd_column,
    const Taps *taps, REAL *spare)
{
    Tile tile = {0};
    for (long image = 0; image < images; image++, from += numbers(in), to += numbers(out))
    for (long row = odd_row; row < out.height; row += 1 + adjoint)
    for (long column = odd_column; column < out.width; column += 1 + adjoint) {
        for (int t = 0; t < taps->count; t++)
            tile.from[t][tile.filled] = pixel(
                from, in, adjoint ? (row - taps->down[t]) / 2 : 2 * row + taps->down[t],
                adjoint ? (column - taps->right[t]) / 2 : 2 * column + taps->right[t], spare);
        tile.to[tile.filled++] = to + (row * out.width + column) * out.channels;
        if (tile.filled == ROWS) multiply(taps, &tile, in.channels, out.channels);
    }
    if (!tile.filled) return;
    for (int r = tile.filled; r < ROWS; r++) {
        for (int t = 0; t < taps->count; t++) tile.from[t][r] = spare;
        tile.to[r] = spare + in.channels;
    }
    multiply(taps, &tile, in.channels, out.channels);
}

INLINE void transform(
    int adjoint, long tasks, long images, long each, Size in, Size out, const REAL *kernels, long a_task, long a_tap,
    long a_row, long a_column, const REAL *from, REAL *to)
{
    const long numbers_of_one = in.channels * out.channels;
    #pragma omp parallel for schedule(static)
    for (long number = 0; number < tasks * each; number++) {
        const Unit unit = unit_of(number, each, images);
        REAL *matrices = room(TAPS * numbers_of_one + in.channels + out.channels);
        pack(kernels + unit.task * a_task, a_tap, in.channels, a_row, out.channels, a_column, matrices);
        for (int odd = 0; odd < (adjoint ? 4 : 1); odd++) {
            const Taps taps = taps_of(adjoint, odd / 2, odd % 2, matrices, numbers_of_one);
            multiply_pixels(unit.images, from + unit.first * numbers(in), in, to + unit.first * numbers(out), out,
                            adjoint, odd / 2, odd % 2, &taps, matrices + TAPS * numbers_of_one);
        }
        free(matrices);
    }
}

/* sum [deep, wide] += patches [rows, deep], transposed, times y [rows, wide] */
INLINE void add_product(long rows, long deep, long wide, const REAL *patches, const REAL *y, REAL *sum)
{
    for (long k = 0; k < deep; k += ROWS)
    for (long at = 0; at < wide; at += PANEL) {
        Vector tile[ROWS][2] = {{{0}}};
        for (long row = 0; row < rows; row++) {
            const Vector *by = (const Vector *)(y + row * wide + at), left = by[0], right = by[1];
            for (int r = 0; r < ROWS; r++) {
                const Vector value = patches[row * deep + k + r] - (Vector){0};
                tile[r][0] += value * left;
                tile[r][1] += value * right;
            }
        }
        for (int r = 0; r < ROWS; r++) {
            Vector *to = (Vector *)(sum + (k + r) * wide + at);
            to[0] += tile[r][0], to[1] += tile[r][1];
        }
    }
}

/* sum [deep, features] += the gradient along a kernel of some images, x before and y after; deep: TAPS * channels,
   and what fills a tile */
INLINE void weight_gradient_of_images(long images, const REAL *x, Size before, const REAL *y, Size after, long deep, REAL *sum)
{
    REAL *patches = room(RUN * deep + before.channels), *zeros = patches + RUN * deep;
    const long pixels = images * after.height * after.width;
    for (long first = 0, i = 0; first < pixels; first += RUN) {
        const long end = least(first + RUN, pixels);
        for (; i < end; i++) {
            const long column = i % after.width, row = i / after.width % after.height;
            const REAL *image = x + i / after.width / after.height * numbers(before);
            for (int tap = 0; tap < TAPS; tap++)
                memcpy(patches + (i - first) * deep + tap * before.channels,
                       pixel(image, before, 2 * row + tap / 3 - 1, 2 * column + tap % 3 - 1, zeros),
                       before.channels * sizeof(REAL));
        }
        add_product(end - first, deep, after.channels, patches, y + first * after.channels, sum);
    }
    free(patches);
}

#define SIZES long tasks, long images, long height, long width, long channels, long high, long wide, long features
#define STRIDES long a_task, long a_feature, long a_channel, long a_tap /* numbers from one to the next */
#define BEFORE_AND_AFTER                                                                   \
    const Size before = {height, width, channels}, after = {high, wide, features};         \
    const long each = parts(tasks, images, after);

/* x [tasks, images, before], kernels -> y [tasks, images, after] */
void convolve(SIZES, STRIDES, const REAL *kernels, const REAL *x, REAL *y)
{
    BEFORE_AND_AFTER
    transform(0, tasks, images, each, before, after, kernels, a_task, a_tap, a_channel, a_feature, x, y);
}

/* y, kernels -> x */
void input_gradient(SIZES, STRIDES, const REAL *kernels, const REAL *y, REAL *x)
{
    BEFORE_AND_AFTER
    transform(1, tasks, images, each, after, before, kernels, a_task, a_tap, a_feature, a_channel, y, x);
}

/* y, x -> kernels [tasks, features, channels, TAPS] */
void weight_gradient(SIZES, const REAL *y, const REAL *x, REAL *kernels)
{
    BEFORE_AND_AFTER
    const long deep = up_to(TAPS * channels, ROWS), numbers_of_one = deep * features;
    REAL *sums = room(tasks * each * numbers_of_one);
    #pragma omp parallel for schedule(static)
    for (long number = 0; number < tasks * each; number++) {
        const Unit unit = unit_of(number, each, images);
        weight_gradient_of_images(unit.images, x + unit.first * numbers(before), before, y + unit.first * numbers(after), after,
                         deep, sums + number * numbers_of_one);
    }
    #pragma omp parallel for schedule(static)
    for (long task = 0; task < tasks; task++) {
        REAL *sum = sums + task * each * numbers_of_one, *to = kernels + task * features * channels * TAPS;
        for (long part = 1; part < each; part++)
            for (long i = 0; i < numbers_of_one; i++) sum[i] += sum[part * numbers_of_one + i];
        for (long feature = 0; feature < features; feature++)
            for (long channel = 0; channel < channels; channel++)
                for (int tap = 0; tap < TAPS; tap++) *to++ = sum[(tap * channels + channel) * features + feature];
    }
    free(sums);
}
