// SPDX-License-Identifier: GPL-2.0-only
/* The module, and what the parts of it share. */
#include <linux/module.h>

#define FAKE_XEN
#include "fake-xen.h"

static atomic_t calls, failing, faults;

unsigned int fake_fail(unsigned int nr)
{
	atomic_set(&failing, nr);
	return atomic_xchg(&calls, 0);
}
EXPORT_SYMBOL_GPL(fake_fail);

bool fake_fails(void)
{
	return atomic_inc_return(&calls) == atomic_read(&failing);
}

void fake_fault(const char *what)
{
	pr_err("fake-xen: the driver %s\n", what);
	atomic_inc(&faults);
}

unsigned int fake_faults(void)
{
	return atomic_xchg(&faults, 0);
}
EXPORT_SYMBOL_GPL(fake_faults);

unsigned int fake_held(void)
{
	return fake_grants_held() + fake_events_held();
}
EXPORT_SYMBOL_GPL(fake_held);

static int __init fake_init(void)
{
	int err = fake_bus_init();

	if (err)
		return err;
	err = fake_store_init();
	if (err)
		fake_bus_exit();
	return err;
}

static void __exit fake_exit(void)
{
	fake_store_exit();
	fake_bus_exit();
}

module_init(fake_init);
module_exit(fake_exit);

MODULE_DESCRIPTION("Xen, as far as shmlink sees it, without Xen");
MODULE_LICENSE("GPL");
