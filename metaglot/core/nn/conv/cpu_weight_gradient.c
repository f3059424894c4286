/* The convolution's gradient along the kernels, of every task at once. The patches of RUN pixels at a time are copied. */

#include "cpu_images.h"

enum { RUN = 64 }; /* pixels to a partial sum */

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
    REAL *patches = zeroed(RUN * deep + before.channels), *zeros = patches + RUN * deep;
    const long pixels = images * after.height * after.width;
    for (long first = 0, i = 0; first < pixels; first += RUN) {
        const long end = smaller(first + RUN, pixels);
        for (; i < end; i++) {
            const long column = i % after.width, row = i / after.width % after.height;
            const REAL *image = x + i / after.width / after.height * image_size(before);
            for (int tap = 0; tap < TAPS; tap++)
                memcpy(patches + (i - first) * deep + tap * before.channels,
                       pixel(image, before, 2 * row + tap / 3 - 1, 2 * column + tap % 3 - 1, zeros),
                       before.channels * sizeof(REAL));
        }
        add_product(end - first, deep, after.channels, patches, y + first * after.channels, sum);
    }
    free(patches);
}

/* y, x -> kernels [tasks, features, channels, TAPS] */
void weight_gradient(SIZES, const REAL *y, const REAL *x, REAL *kernels)
{
    BEFORE_AND_AFTER
    const long deep = rounded_up(TAPS * channels, ROWS), numbers_of_one = deep * features;
    REAL *sums = zeroed(tasks * each * numbers_of_one);
    #pragma omp parallel for schedule(static)
    for (long number = 0; number < tasks * each; number++) {
        const Unit unit = unit_of(number, each, images);
        weight_gradient_of_images(unit.images, x + unit.first * image_size(before), before, y + unit.first * image_size(after), after,
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
