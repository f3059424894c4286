/* Batch norm and ReLU, its gradient and the gradient of that, each in two or three passes over memory.

   The formulas are those of torch_fallback.py, and so are the names. z, y, dy, dz, a and ddy are [tasks, rows, features],
   all else is [tasks, features]. `units` is NULL or of z's shape: the ReLU then passes what it has positive, and not
   what is positive itself. The work is cut into up to LANES features of a task, whose rows one thread goes
   through in order, RUN of them to a partial sum so that rounding grows slowly: nothing depends on the number of
   threads. REAL is float or double, as the compiler is told. */

#include <math.h>
#include <stddef.h>

enum { LANES = 64, RUN = 32, WORTH_A_THREAD = 32768 };

#define INLINE static inline __attribute__((always_inline))
#define EACH_LANE for (int f = 0; f < lanes; f++)
#define EACH_ROW for (long at = 0; at < rows * features; at += features) EACH_LANE
/* `add` adds a row's values to sum[0][f], sum[1][f], ...: its lane f lies at [at + f]. */
#define SUM_ROWS(total, count, add)                                                           \
    REAL total[count][LANES] = {{0}};                                                         \
    for (long from = 0; from < rows; from += RUN) {                                           \
        const long to = from + RUN < rows ? from + RUN : rows;                                \
        REAL sum[count][LANES] = {{0}};                                                       \
        for (long at = from * features; at < to * features; at += features) EACH_LANE { add } \
        for (int k = 0; k < count; k++) EACH_LANE total[k][f] += sum[k][f];                   \
    }

typedef struct { REAL gamma[LANES], beta[LANES], mean[LANES], r[LANES]; } Norm;

INLINE REAL normed(const Norm *n, REAL z, int f) { return (z - n->mean[f]) * n->r[f]; }
INLINE REAL scaled(const Norm *n, REAL x, int f) { return n->gamma[f] * x + n->beta[f]; }
INLINE REAL if_positive(REAL u, REAL value) { return u <= 0 ? 0 : value; } /* a NaN stays one */

INLINE void forward_lanes(
    const REAL *z, const REAL *gamma, const REAL *beta, REAL eps, const REAL *units, REAL *restrict y, REAL *restrict mean, REAL *restrict r,
    const long rows, const long features, const int lanes)
{
    Norm n;
    SUM_ROWS(of_z, 1, sum[0][f] += z[at + f];)
    EACH_LANE n.mean[f] = mean[f] = of_z[0][f] / rows;
    SUM_ROWS(of_square, 1, const REAL centred = z[at + f] - n.mean[f]; sum[0][f] += centred * centred;)
    EACH_LANE n.r[f] = r[f] = 1 / (REAL)sqrt(of_square[0][f] / rows + eps);
    EACH_LANE n.gamma[f] = gamma[f], n.beta[f] = beta[f];
    EACH_ROW {
        const REAL u = scaled(&n, normed(&n, z[at + f], f), f);
        y[at + f] = if_positive(units ? units[at + f] : u, u);
    }
}

#define X_U_G                                           \
    const REAL x = normed(&n, z[at + f], f);            \
    const REAL u = units ? units[at + f] : scaled(&n, x, f); \
    const REAL g = if_positive(u, dy[at + f]);

INLINE void gradient_lanes(
    const REAL *dy, const REAL *z, const REAL *gamma, const REAL *beta, const REAL *mean, const REAL *r, const REAL *units,
    REAL *restrict dz, REAL *restrict dgamma, REAL *restrict dbeta,
    const long rows, const long features, const int lanes)
{
    Norm n;
    REAL scale[LANES], times_x[LANES], constant[LANES];
    EACH_LANE n.gamma[f] = gamma[f], n.beta[f] = beta[f], n.mean[f] = mean[f], n.r[f] = r[f];
    SUM_ROWS(of, 2, X_U_G sum[0][f] += g; sum[1][f] += g * x;)
    EACH_LANE {
        dbeta[f] = of[0][f];
        dgamma[f] = of[1][f];
        scale[f] = n.r[f] * n.gamma[f];
        constant[f] = -scale[f] * of[0][f] / rows;
        times_x[f] = -scale[f] * of[1][f] / rows;
    }
    EACH_ROW {
        X_U_G
        dz[at + f] = scale[f] * g + times_x[f] * x + constant[f];
    }
}

INLINE void double_backward_lanes(
    const REAL *a, const REAL *b, const REAL *c, const REAL *dy, const REAL *z, const REAL *gamma, const REAL *beta,
    const REAL *mean, const REAL *r, const REAL *units, const REAL *dgamma, const REAL *dbeta,
    REAL *restrict ddy, REAL *restrict dz, REAL *restrict to_gamma,
    const long rows, const long features, const int lanes)
{
    Norm n;
    REAL scale[LANES], from_g[LANES], constant[LANES], times_g[LANES], times_a[LANES], times_x[LANES], shift[LANES];
    EACH_LANE n.gamma[f] = gamma[f], n.beta[f] = beta[f], n.mean[f] = mean[f], n.r[f] = r[f];
    SUM_ROWS(of, 3, X_U_G const REAL along = a[at + f];
             sum[0][f] += along; sum[1][f] += along * x; sum[2][f] += along * g;)
    EACH_LANE {
        const REAL mean_a = of[0][f] / rows, mean_ax = of[1][f] / rows;
        const REAL mean_g = dbeta[f] / rows, mean_gx = dgamma[f] / rows;
        const REAL mean_a_pg = of[2][f] / rows - mean_a * mean_g - mean_ax * mean_gx;
        scale[f] = n.r[f] * n.gamma[f];
        from_g[f] = b[f] - scale[f] * mean_ax;
        constant[f] = c[f] - scale[f] * mean_a;
        const REAL from_a = scale[f] * mean_gx;
        times_g[f] = n.r[f] * from_g[f];
        times_a[f] = -n.r[f] * from_a;
        times_x[f] = -n.r[f] * (from_g[f] * mean_gx - from_a * mean_ax + scale[f] * mean_a_pg);
        shift[f] = -n.r[f] * (from_g[f] * mean_g - from_a * mean_a);
        to_gamma[f] = n.r[f] * mean_a_pg * rows;
    }
    EACH_ROW {
        X_U_G
        ddy[at + f] = if_positive(u, scale[f] * a[at + f] + from_g[f] * x + constant[f]);
        dz[at + f] = times_g[f] * g + times_a[f] * a[at + f] + times_x[f] * x + shift[f];
    }
}

/* A kernel on every part: its rows begin at [wide], its features at [thin], its units at `active`. Full parts have loops
   of a known length, and a kernel is compiled with units and without. */
#define EACH_PART(kernel, ...) \
    if (units) PARTS(units + wide, kernel, __VA_ARGS__) else PARTS(NULL, kernel, __VA_ARGS__)
#define PARTS(active_units, kernel, ...)                                                           \
    {                                                                                              \
        const long parts = (features + LANES - 1) / LANES;                                         \
        _Pragma("omp parallel for schedule(static) if (tasks * rows * features > WORTH_A_THREAD)") \
        for (long part = 0; part < tasks * parts; part++) {                                        \
            const long task = part / parts, first = part % parts * LANES;                          \
            const long wide = task * rows * features + first, thin = task * features + first;      \
            const REAL *const active = active_units;                                               \
            if (features - first >= LANES) kernel(__VA_ARGS__, rows, features, LANES);             \
            else kernel(__VA_ARGS__, rows, features, features - first);                            \
        }                                                                                          \
    }

void forward(
    long tasks, long rows, long features, double eps, const REAL *z, const REAL *gamma, const REAL *beta,
    const REAL *units, REAL *y, REAL *mean, REAL *r)
{
    EACH_PART(forward_lanes, z + wide, gamma + thin, beta + thin, eps, active, y + wide, mean + thin, r + thin)
}

void gradient(
    long tasks, long rows, long features, const REAL *dy, const REAL *z, const REAL *gamma, const REAL *beta,
    const REAL *mean, const REAL *r, const REAL *units, REAL *dz, REAL *dgamma, REAL *dbeta)
{
    EACH_PART(gradient_lanes, dy + wide, z + wide, gamma + thin, beta + thin, mean + thin, r + thin, active,
              dz + wide, dgamma + thin, dbeta + thin)
}

void double_backward(
    long tasks, long rows, long features, const REAL *a, const REAL *b, const REAL *c,
    const REAL *dy, const REAL *z, const REAL *gamma, const REAL *beta, const REAL *mean, const REAL *r,
    const REAL *units, const REAL *dgamma, const REAL *dbeta, REAL *ddy, REAL *dz, REAL *to_gamma)
{
    EACH_PART(double_backward_lanes, a + wide, b + thin, c + thin, dy + wide, z + wide, gamma + thin, beta + thin,
              mean + thin, r + thin, active, dgamma + thin, dbeta + thin, ddy + wide, dz + wide, to_gamma + thin)
}
