/* A 3x3 convolution of stride 2 with a border of one pixel, and its gradient along the images; of every task at once, each
   with a kernel of its own. Rows are read where they lie. */

#include "cpu_images.h"

/* The taps that reach a pixel, the offsets of each and its matrix. */
typedef struct { int count; long down[TAPS], right[TAPS]; const REAL *matrix[TAPS]; } Taps;

/* Pixels that are computed together: where each comes to lie, and the row that it takes from under each tap. */
typedef struct { int filled; REAL *to[ROWS]; const REAL *from[TAPS][ROWS]; } Tile;

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
    for (long image = 0; image < images; image++, from += image_size(in), to += image_size(out))
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
        REAL *matrices = zeroed(TAPS * numbers_of_one + in.channels + out.channels);
        pack(kernels + unit.task * a_task, a_tap, in.channels, a_row, out.channels, a_column, matrices);
        for (int odd = 0; odd < (adjoint ? 4 : 1); odd++) {
            const Taps taps = taps_of(adjoint, odd / 2, odd % 2, matrices, numbers_of_one);
            multiply_pixels(unit.images, from + unit.first * image_size(in), in, to + unit.first * image_size(out), out,
                            adjoint, odd / 2, odd % 2, &taps, matrices + TAPS * numbers_of_one);
        }
        free(matrices);
    }
}

#define STRIDES long a_task, long a_feature, long a_channel, long a_tap /* numbers from one to the next */

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
