// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/parse.h"
#include "base/text.h"

static void test_number(void **state)
{
    uint64_t value = 7;

    (void)state;
    assert_int_equal(parse_u64(NULL, 0, 9, &value), -EINVAL);
    assert_int_equal(parse_u64("", 0, 9, &value), -EINVAL);
    assert_int_equal(parse_u64(" 1", 0, 9, &value), -EINVAL);
    assert_int_equal(parse_u64("1 ", 0, 9, &value), -EINVAL);
    assert_int_equal(parse_u64("-1", 0, UINT64_MAX, &value), -EINVAL);
    assert_int_equal(parse_u64("+1", 0, 9, &value), -EINVAL);
    assert_int_equal(parse_u64("0x1", 0, 9, &value), -EINVAL);
    assert_int_equal(parse_u64("10", 0, 9, &value), -EINVAL);
    assert_int_equal(parse_u64("1", 2, 9, &value), -EINVAL);
    assert_int_equal(parse_u64("18446744073709551616", 0, UINT64_MAX, &value),
                     -EINVAL);
    assert_int_equal(value, 7);
    assert_int_equal(parse_u64("18446744073709551615", 0, UINT64_MAX, &value),
                     0);
    assert_true(value == UINT64_MAX);
    assert_int_equal(parse_u64("2", 2, 2, &value), 0);
    assert_int_equal(value, 2);
}

static void test_ring_bytes(void **state)
{
    static const char *const bad[] = {
        "", "K", "1", "0", "64K", "127K", "192K", "131071", "8M", "5M", "1G",
        "1MB", "1 M", "-1M", "4097K", "4398046511104M", "8388608",
        "18446744073709551615M",
    };
    static const struct {
        const char *text;
        uint32_t bytes;
    } good[] = {
        { "128K", 131072 }, { "131072", 131072 }, { "256k", 262144 },
        { "1M", 1048576 }, { "4m", 4194304 }, { "4096K", 4194304 },
    };
    uint32_t bytes = 7;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (parse_ring_bytes(bad[i], &bytes) != -EINVAL)
            fail_msg("'%s' was taken", bad[i]);
        assert_int_equal(bytes, 7);
    }
    for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_int_equal(parse_ring_bytes(good[i].text, &bytes), 0);
        assert_int_equal(bytes, good[i].bytes);
    }
}

static void test_guest(void **state)
{
    static const char *const bad[] = {
        "", "7", "7:1", ":1", "a/b", "too-long", "a\nb", "a\x7f", "\tb:1",
        "m\xc3\xbc", "a\xff",
    };
    uint32_t vif = 7;
    char name[8] = "as it is";
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(parse_guest(bad[i], name, sizeof(name), &vif),
                         -EINVAL);
    assert_memory_equal(name, "as it is", sizeof(name));
    assert_int_equal(vif, 7);
    assert_int_equal(parse_guest("2web:01", name, sizeof(name), &vif), 0);
    assert_string_equal(name, "2web");
    assert_int_equal(vif, 1);
    assert_int_equal(parse_guest("a:b", name, sizeof(name), &vif), 0);
    assert_string_equal(name, "a:b");
    assert_int_equal(vif, UINT32_MAX);
}

static void test_rate(void **state)
{
    static const char *const bad[] = {
        "", "10", "10M", "10Mb", "10 Mb/s", "Mb/s", "0b/s", "7b/s", "0GB/s",
        "10mb/s", "10Mb/s@20ms", "-1B/s", "4294967296B/s", "5GB/s", "35Gb/s",
        "18446744073709551616B/s", "18446744073709551615Gb/s", "1b/s ",
    };
    static const struct {
        const char *text;
        uint32_t bytes;
    } good[] = {
        { "8b/s", 1 }, { "1B/s", 1 }, { "15b/s", 1 }, { "100Mb/s", 12500000 },
        { "20MB/s", 20000000 }, { "1Kb/s", 125 }, { "4GB/s", 4000000000U },
        { "34Gb/s", 4250000000U }, { "4294967295B/s", UINT32_MAX },
    };
    uint32_t bytes = 7;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (parse_rate(bad[i], &bytes) != -EINVAL)
            fail_msg("'%s' was taken", bad[i]);
        assert_int_equal(bytes, 7);
    }
    for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_int_equal(parse_rate(good[i].text, &bytes), 0);
        assert_int_equal(bytes, good[i].bytes);
    }
}

static void test_versions(void **state)
{
    uint32_t min = 7, max = 7;

    (void)state;
    assert_int_equal(parse_versions("", &min, &max), -EINVAL);
    assert_int_equal(parse_versions("1", &min, &max), -EINVAL);
    assert_int_equal(parse_versions("1 ", &min, &max), -EINVAL);
    assert_int_equal(parse_versions("1  2", &min, &max), -EINVAL);
    assert_int_equal(parse_versions("2 1", &min, &max), -EINVAL);
    assert_int_equal(parse_versions("0 1", &min, &max), -EINVAL);
    assert_int_equal(parse_versions("1 2 3", &min, &max), -EINVAL);
    assert_int_equal(parse_versions("1 4294967296", &min, &max), -EINVAL);
    assert_int_equal(min, 7);
    assert_int_equal(parse_versions("1 3", &min, &max), 0);
    assert_int_equal(min, 1);
    assert_int_equal(max, 3);
}

static void test_mac(void **state)
{
    static const uint8_t want[6] = { 0x00, 0x16, 0x3e, 0xab, 0xcd, 0xef };
    uint8_t mac[6];

    (void)state;
    assert_int_equal(parse_mac("", mac), -EINVAL);
    assert_int_equal(parse_mac("00:00:00:00:00:00", mac), -EINVAL);
    assert_int_equal(parse_mac("ff:ff:ff:ff:ff:ff", mac), -EINVAL);
    assert_int_equal(parse_mac("01:16:3e:00:00:01", mac), -EINVAL);
    assert_int_equal(parse_mac("00:16:3e:00:00:0", mac), -EINVAL);
    assert_int_equal(parse_mac("00:16:3e:00:00:0g", mac), -EINVAL);
    assert_int_equal(parse_mac("00:16:3e:00:00:001", mac), -EINVAL);
    assert_int_equal(parse_mac("00-16-3e-00-00-01", mac), -EINVAL);
    assert_int_equal(parse_mac("00:16:3e:AB:cd:eF", mac), 0);
    assert_memory_equal(mac, want, 6);
}

static void test_hex(void **state)
{
    uint8_t value[2] = { 7, 7 };

    (void)state;
    assert_int_equal(parse_bytes("", value, 2, 0, 0), -EINVAL);
    assert_int_equal(parse_bytes("0aF", value, 2, 0, 0), -EINVAL);
    assert_int_equal(parse_bytes("0aF00", value, 2, 0, 0), -EINVAL);
    assert_int_equal(parse_bytes("0ag0", value, 2, 0, 0), -EINVAL);
    assert_int_equal(value[0], 7);
    assert_int_equal(parse_bytes("0aF0", value, 2, 0, 0), 0);
    assert_int_equal(value[0], 0x0a);
    assert_int_equal(value[1], 0xf0);
}

static void test_sanitise(void **state)
{
    char clean[8];

    (void)state;
    parse_sanitise(NULL, clean, sizeof(clean));
    assert_string_equal(clean, "");
    parse_sanitise("a\033[2Jb", clean, sizeof(clean));
    assert_string_equal(clean, "a?[2Jb");
    parse_sanitise("one\ntwo three", clean, sizeof(clean));
    assert_string_equal(clean, "one?two");
    parse_sanitise("\xc3\xa9", clean, 1);
    assert_string_equal(clean, "");
}

/* Characters of all lengths, and what is none: RFC 3629, its first and last. */
static void test_text(void **state)
{
    static const char *const good[] = {
        " ", "~", "\xc2\xa0", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf",
        "\xee\x80\x80", "\xef\xbf\xbf", "\xf0\x90\x80\x80",
        "\xf4\x8f\xbf\xbf",
    };
    static const char *const bad[] = {
        "\x1f", "\x7f", "\x80", "\xbf", "\xc0\x80", "\xc1\x9b",
        "\xc2\x80", "\xc2\x9f", "\xc2", "\xc2 ", "\xe0\x9f\xbf",
        "\xe2\x82", "\xed\xa0\x80", "\xed\xbf\xbf", "\xf0\x8f\xbf\xbf",
        "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff",
    };
    char text[TEXT_BYTES_MAX + 2];
    size_t i;

    (void)state;
    for (i = 0; i < sizeof good / sizeof *good; i++) {
        assert_int_equal(text_char(good[i]), strlen(good[i]));
        assert_true(text_ok(good[i]));
    }
    assert_int_equal(text_char(""), 0);
    for (i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(text_char(bad[i]), 0);
        assert_false(text_ok(bad[i]));
        snprintf(text, sizeof text, "a%s\xc3\xa9", bad[i]);
        text_clean(text);
        assert_true(text_ok(text) && text[0] == 'a' && text[1] == '?');
        assert_string_equal(text + strlen(text) - 2, "\xc3\xa9");
    }
    memset(text, 'x', sizeof text);
    text[TEXT_BYTES_MAX + 1] = '\0';
    assert_false(text_ok(text));
    text[TEXT_BYTES_MAX] = '\0';
    assert_true(text_ok(text));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_number),
        cmocka_unit_test(test_ring_bytes),
        cmocka_unit_test(test_rate),
        cmocka_unit_test(test_guest), cmocka_unit_test(test_versions),
        cmocka_unit_test(test_mac),
        cmocka_unit_test(test_hex),
        cmocka_unit_test(test_sanitise),
        cmocka_unit_test(test_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
