/*
 * test_report.c: the verdict on a network and who is named for it, shares,
 * names and what a report owns.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "audit.h"
#include "hand_graph.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static hand_graph g;

static lip_shape vector(void) { return hand_dims(2, 1, 5, 0, 0); }

static lip_report *report_of(lip_value *logits)
{
    lip_report *report = NULL;
    lip_error error = { 0 };
    hand_logits(&g, logits);
    if (lip_audit(&g.model, NULL, &report, &error) != LIP_OK)
        fail_msg("%s", error.reason);
    return report;
}

static lip_value *layer(lip_gain gain, lip_value *x) { return hand_add(&g, gain, vector(), x, NULL, NULL); }

static void end(lip_report *report)
{
    lip_report_free(&report);
    assert_null(report);
    hand_end_graph(&g);
}

static void check_bounded(void **unused)
{
    (void)unused;
    hand_begin_graph(&g);
    lip_value *y = layer(hand_lipschitz(4, 4), hand_varying(&g, vector()));
    g.nodes[0].name = "four";
    lip_report *report = report_of(layer(hand_lipschitz(0.5, 0.25), layer(hand_kind(LIP_GAIN_ISOMETRY), y)));
    assert_true(report->verdict == LIP_BOUNDED && report->reason[0] == 0 && report->reason_node[0] == 0);
    assert_true(report->network.upper >= 2 && report->network.upper < 2.0000001 && isnan(report->network.lower));
    assert_true(isnan(report->network.tightness));
    assert_string_equal(report->layers[0].name, "four");
    assert_string_equal(report->layers[1].gain.method, LIP_METHOD_ISOMETRY);
    assert_true(report->layers[2].gain.tightness >= 2 && report->layers[0].gain.tightness == 1);
    assert_true(fabs(report->layers[0].log_share - 2.0 / 3) < 1e-12 &&
                fabs(report->layers[2].log_share + 1.0 / 3) < 1e-12);
    assert_true(report->layers[1].log_share == 0);
    assert_true(report->layers[0].cumulative_upper == 4 && report->layers[2].cumulative_upper == report->network.upper);
    assert_int_equal(report->layers[0].input_count, 1);
    assert_int_equal(report->layers[0].input_shape.dim[1], 5);
    end(report);
}

static void check_verdicts(void **unused)
{
    (void)unused;
    hand_begin_graph(&g);
    lip_gain unknown = { .kind = LIP_GAIN_UNKNOWN, .reason = "a riddle" }, unbounded = { .kind = LIP_GAIN_UNBOUNDED };
    lip_value *y = layer(hand_lipschitz(2, 2), hand_varying(&g, vector()));
    y = layer(unknown, y);
    g.nodes[1].name = "sphinx";
    lip_report *report = report_of(layer(unbounded, y));
    assert_true(report->verdict == LIP_UNKNOWN && isinf(report->network.upper) && isnan(report->network.lower));
    assert_string_equal(report->reason, "a riddle");
    assert_string_equal(report->reason_node, "sphinx");
    end(report);

    hand_begin_graph(&g);
    report = report_of(layer(unbounded, hand_varying(&g, vector())));
    assert_true(report->verdict == LIP_UNBOUNDED && report->reason[0]);
    end(report);

    hand_begin_graph(&g);
    report = report_of(layer(hand_lipschitz(1e300, 1), layer(hand_lipschitz(1e300, 1), hand_varying(&g, vector()))));
    assert_true(report->verdict == LIP_UNKNOWN && isinf(report->network.upper) && report->reason[0]);
    end(report);
}

/* The report's texts live in the report: the arena of the audit is gone. */
static void check_ownership(void **unused)
{
    (void)unused;
    hand_begin_graph(&g);
    lip_value *y = layer(hand_lipschitz(2, 2), hand_varying(&g, vector()));
    g.nodes[0].domain = "com.microsoft";
    g.statuses[0] = LIP_EUNSUPPORTED;
    lip_report *report = report_of(y);
    assert_string_equal(report->layers[0].op, "com.microsoft::Hand");
    assert_string_equal(report->layers[0].reason, "told to fail");
    end(report);
    lip_report_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(check_bounded),
        cmocka_unit_test(check_verdicts),
        cmocka_unit_test(check_ownership),
    };
    return cmocka_run_group_tests_name("report", tests, NULL, NULL);
}
