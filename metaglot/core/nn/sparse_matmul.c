/* Products with a matrix many of whose elements are 0.

   What is not 0 of a matrix X [rows, columns] is kept by blocks of BLOCK columns, and in a block by rows: a row's
   entries end at ends[block, row], and begin where those of the row before end. A product takes LANES features of a
   block at a time, which stay in the nearest cache, through the rows. Each sum is in order, of columns or of rows:
   nothing depends on the number of threads. What is skipped is 0 times a finite number. REAL is float or double; the
   features are a multiple of WIDTH. */

#include <stdint.h>
#include <string.h>

enum {
    VECTOR = 32 / sizeof(REAL),
    VECTORS = 8,
    LANES = VECTOR * VECTORS,
    PARTS = 2, /* of the rows: a thread each, where features are few */
    RUN = 800, /* rows to a partial sum, so that rounding grows slowly */
};

_Static_assert(WIDTH % LANES == 0, "lanes fill what comes out");

#define ALIGNED __attribute__((aligned(64))) /* to lines of the cache */
typedef struct { REAL value; int32_t at; } Entry; /* at: a column of the block */
typedef REAL Vector __attribute__((vector_size(32), aligned(sizeof(REAL)), may_alias));

static inline long least(long a, long b) { return a < b ? a : b; }
static inline long blocks(long columns) { return (columns + BLOCK - 1) / BLOCK; }

/* X -> entries [blocks, rows * BLOCK], of which a block fills as many as it needs; ends [blocks, rows]; their number */
int compress(long rows, long columns, const REAL *matrix, Entry *entries, int32_t *ends)
{
    enum { WORD = sizeof(uint64_t) };
    long found = 0;
    #pragma omp parallel for schedule(static) reduction(+ : found)
    for (long block = 0; block < blocks(columns); block++) {
        const long size = least(columns - block * BLOCK, BLOCK);
        Entry *to = entries + block * rows * BLOCK;
        int32_t count = 0;
        for (long row = 0; row < rows; row++) {
            const REAL *from = matrix + row * columns + block * BLOCK;
            uint8_t full[BLOCK + WORD] = {0};
            for (long at = 0; at < size; at++) full[at] = from[at] != 0;
            for (long i = 0; i < size; i += WORD) {
                uint64_t any;
                memcpy(&any, full + i, WORD);
                for (int32_t at = i; any && at < least(i + WORD, size); at++) {
                    to[count] = (Entry){from[at], at};
                    count += full[at];
                }
            }
            ends[block * rows + row] = count;
        }
        found += count;
    }
    return found;
}

/* W [features, columns] -> X W^T [rows, features] */
void times(
    long rows, long columns, long features, const Entry *entries, const int32_t *ends, const REAL *w, REAL *product)
{
    #pragma omp parallel for schedule(static) collapse(2)
    for (long part = 0; part < PARTS; part++)
    for (long feature = 0; feature < features; feature += LANES)
    for (long block = 0; block < blocks(columns); block++) {
        const Entry *entry = entries + block * rows * BLOCK;
        const int32_t *end = ends + block * rows;
        const long low = rows * part / PARTS, high = rows * (part + 1) / PARTS;
        ALIGNED REAL lanes[BLOCK][LANES];
        for (int f = 0; f < LANES; f++)
            for (long i = 0; i < least(columns - block * BLOCK, BLOCK); i++)
                lanes[i][f] = w[(feature + f) * columns + block * BLOCK + i];
        for (long row = low, k = low ? end[low - 1] : 0; row < high; row++) {
            Vector *out = (Vector *)(product + row * features + feature), sum[VECTORS] = {{0}};
            if (block) for (int i = 0; i < VECTORS; i++) sum[i] = out[i];
            for (; k < end[row]; k++) {
                const Vector value = entry[k].value - (Vector){0}, *by = (const Vector *)lanes[entry[k].at];
                for (int i = 0; i < VECTORS; i++) sum[i] += value * by[i];
            }
            for (int i = 0; i < VECTORS; i++) out[i] = sum[i];
        }
    }
}

/* G [rows, features] -> G^T X [features, columns] */
void transposed_times(
    long rows, long columns, long features, const Entry *entries, const int32_t *ends, const REAL *g, REAL *product)
{
    #pragma omp parallel for schedule(static) collapse(2)
    for (long feature = 0; feature < features; feature += LANES)
    for (long block = 0; block < blocks(columns); block++) {
        const Entry *entry = entries + block * rows * BLOCK;
        const int32_t *end = ends + block * rows;
        for (long row = 0, k = 0; row < rows;) {
            ALIGNED REAL sum[BLOCK][LANES] = {{0}};
            const int is_first = row == 0;
            for (const long stop = least(row + RUN, rows); row < stop; row++) {
                Vector by[VECTORS];
                memcpy(by, g + row * features + feature, sizeof by);
                for (; k < end[row]; k++) {
                    const Vector value = entry[k].value - (Vector){0};
                    Vector *to = (Vector *)sum[entry[k].at];
                    for (int i = 0; i < VECTORS; i++) to[i] += value * by[i];
                }
            }
            for (int f = 0; f < LANES; f++)
                for (long i = 0; i < least(columns - block * BLOCK, BLOCK); i++) {
                    REAL *to = product + (feature + f) * columns + block * BLOCK + i;
                    *to = is_first ? sum[i][f] : *to + sum[i][f];
                }
        }
    }
}
