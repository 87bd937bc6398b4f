// SPDX-License-Identifier: GPL-2.0-only
/*
 * The test's module: "echo NAME COUNT SEED >.../shmlink-test/run" runs a case
 * and fails where that fails.
 */
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/uaccess.h>

#include "peer.h"

static struct dentry *dir;
static DEFINE_MUTEX(run_lock);

static const struct test *const tests[] = {
	link_tests, receive_tests, send_tests, hostile_tests,
	handshake_tests, limits_tests, cost_tests,
};

static const struct test *find(const char *name)
{
	const struct test *test;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(tests); i++)
		for (test = tests[i]; test->name; test++)
			if (!strcmp(test->name, name))
				return test;
	return NULL;
}

static ssize_t run_write(struct file *file, const char __user *from,
			 size_t bytes, loff_t *pos)
{
	char line[64] = "", name[32];
	const struct test *test;
	u32 count = 0, seed = 1;
	int rc;

	if (bytes >= sizeof(line) || copy_from_user(line, from, bytes))
		return -EFAULT;
	if (sscanf(line, "%31s %u %u", name, &count, &seed) < 1)
		return -EINVAL;
	test = find(name);
	if (!test)
		return -ENOENT;
	mutex_lock(&run_lock);
	vif_received = NULL;
	vif_sent = NULL;
	rc = test->run(count, seed);
	mutex_unlock(&run_lock);
	return rc ? rc : bytes;
}

static const struct file_operations run_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.write = run_write,
};

static int __init peer_init(void)
{
	int err = vif_add();

	if (err)
		return err;
	dir = debugfs_create_dir("shmlink-test", NULL);
	debugfs_create_file("run", 0200, dir, NULL, &run_fops);
	return 0;
}

static void __exit peer_exit(void)
{
	debugfs_remove(dir);
	vif_del();
}

module_init(peer_init);
module_exit(peer_exit);

MODULE_DESCRIPTION("The peer of a link of shmlink's, for its tests");
MODULE_LICENSE("GPL");
