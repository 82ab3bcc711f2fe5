/*
 * feed: one batch at a time, and sums of those before.
 */
#include "lab/feed.h"

#include <math.h>

#include "lab/state.h"

static gs_status
check(const gs_lab *lab, const gs_lab_batch *batch, gs_error *err)
{
  if (!lab->options.is_fed || lab->writes < lab->fed.to) {
    return GS_FAIL(err, GS_MISUSE,
                   "a batch comes when the one before is written");
  }
  if (!(batch->writes >= 1 && batch->writes <= 1e15)) {
    return GS_FAIL(err, GS_MISUSE, "a batch has 1 to 1e15 writes");
  }
  if (!(batch->gone >= 0 && batch->lasting >= 0 &&
        batch->gone + batch->lasting <= 1 + 1e-9) ||
      !(batch->distinct >= 0 && batch->distinct <= batch->writes)) {
    return GS_FAIL(err, GS_MISUSE,
                   "what a batch deletes and keeps are shares of its writes");
  }
  return GS_OK;
}

static double
seconds_until(const gs_lab *lab, double to_ms)
{
  return (to_ms - gs_lab_now_ms(lab)) / 1000;
}

gs_status
gs_lab_feed(gs_lab *lab, const gs_lab_batch *batch, gs_error *err)
{
  gs_lab_fed *fed = &lab->fed;
  gs_status status = check(lab, batch, err);
  if (status != GS_OK) {
    return status;
  }
  double before = fed->to - fed->from;
  fed->puts += before * (1 - fed->batch.gone);
  fed->gones += before * fed->batch.gone;
  fed->lasting += before * fed->batch.lasting;
  fed->batch = *batch;
  fed->from = lab->writes;
  fed->to = lab->writes + batch->writes;
  double s = seconds_until(lab, batch->to_ms);
  lab->options.rate = s > 0 ? batch->writes / s : 0;
  lab->options.delete_share = batch->gone;
  lab->active_end = gs_lab_fed_end(lab);
  return GS_OK;
}

double
gs_lab_fed_end(const gs_lab *lab)
{
  return lab->writes < lab->fed.to ? lab->fed.to : INFINITY;
}

gs_fill_span
gs_lab_active_span(const gs_lab *lab)
{
  const gs_lab_fed *fed = &lab->fed;
  gs_fill_span span = {
      .from = lab->active_from,
      .to = lab->writes,
      .from_ms = lab->active_ms,
      .to_ms = gs_lab_now_ms(lab),
      .gone = lab->options.delete_share,
  };
  if (lab->options.is_fed) {
    bool is_whole = span.from <= fed->from && span.to >= fed->to;
    span.lasting = fed->batch.lasting;
    span.distinct = is_whole ? fed->batch.distinct : 0;
  }
  return span;
}

/* ---- sums -------------------------------------------------------------------- */

/* Of the batch in hand, what is written. */
static double
written(const gs_lab *lab)
{
  return lab->writes - lab->fed.from;
}

double
gs_lab_fed_bytes(const gs_lab *lab)
{
  const gs_lab_fed *fed = &lab->fed;
  double gone = fed->batch.gone;
  return gs_size_data(&lab->format,
                      (gs_count){fed->puts + written(lab) * (1 - gone),
                                 fed->gones + written(lab) * gone});
}

double
gs_lab_fed_live(const gs_lab *lab, double expired)
{
  const gs_lab_fed *fed = &lab->fed;
  double all = fed->puts + fed->gones + written(lab);
  double puts = fed->puts + written(lab) * (1 - fed->batch.gone);
  double lasting = fed->lasting + written(lab) * fed->batch.lasting;
  if (all <= 0) {
    return 0;
  }
  double keys = (puts - lasting) / all *
                    gs_mix_distinct(&lab->mix, lab->writes - expired) +
                lasting / all * gs_mix_distinct(&lab->mix, lab->writes);
  return gs_size_data(&lab->format, (gs_count){keys, 0});
}
