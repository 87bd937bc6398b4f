// SPDX-License-Identifier: GPL-2.0-only
/* A xenstore: paths and values in a list; and its watches, in a thread. */
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/slab.h>

#define FAKE_XEN
#include "fake-xen.h"

/* The number of a transaction that will fail. */
#define DOOMED	2

/* What the peer does is not made to fail. */
static bool fails(struct xenbus_transaction t)
{
	return t.id != FAKE_PEER_XBT.id && fake_fails();
}

struct entry {
	struct list_head list;
	char *value;
	char path[];
};

struct fired {
	struct list_head list;
	struct xenbus_watch *watch;
	char path[128];
};

static DEFINE_MUTEX(store_lock);
static LIST_HEAD(nodes);

/* As in xenbus: the second is held while a callback runs. */
static DEFINE_SPINLOCK(watch_lock);
static DEFINE_MUTEX(xenwatch_mutex);
static LIST_HEAD(watches);
static LIST_HEAD(fired);
static DECLARE_WAIT_QUEUE_HEAD(watch_wait);
static struct task_struct *xenwatch;
static bool xenwatch_busy;

DECLARE_WAIT_QUEUE_HEAD(fake_store_wait);
EXPORT_SYMBOL_GPL(fake_store_wait);

static char *join(const char *dir, const char *node)
{
	return kasprintf(GFP_KERNEL | __GFP_NOFAIL, "%s%s%s", dir,
			 *node ? "/" : "", node);
}

static struct entry *find(const char *path)
{
	struct entry *node;

	lockdep_assert_held(&store_lock);
	list_for_each_entry(node, &nodes, list)
		if (!strcmp(node->path, path))
			return node;
	return NULL;
}

/* Whether @path is @dir, or below it. */
static bool is_below(const char *path, const char *dir)
{
	size_t len = strlen(dir);

	return !strncmp(path, dir, len) && (!path[len] || path[len] == '/');
}

static void fire(struct xenbus_watch *watch, const char *path)
{
	struct fired *event;

	if (watch->will_handle && !watch->will_handle(watch, path, ""))
		return;
	event = kzalloc(sizeof(*event), GFP_ATOMIC);
	if (WARN_ON(!event))
		return;
	event->watch = watch;
	strscpy(event->path, path, sizeof(event->path));
	watch->nr_pending++;
	list_add_tail(&event->list, &fired);
	wake_up(&watch_wait);
}

/* With what is removed goes what is below. */
static void fire_all(const char *path, bool removed)
{
	struct xenbus_watch *watch;

	spin_lock(&watch_lock);
	list_for_each_entry(watch, &watches, list)
		if (is_below(path, watch->node) ||
		    (removed && is_below(watch->node, path)))
			fire(watch, path);
	spin_unlock(&watch_lock);
	wake_up_all(&fake_store_wait);
}

static struct fired *next_fired(void)
{
	struct fired *event;

	spin_lock(&watch_lock);
	event = list_first_entry_or_null(&fired, struct fired, list);
	if (event) {
		list_del(&event->list);
		event->watch->nr_pending--;
	}
	xenwatch_busy = event;
	spin_unlock(&watch_lock);
	return event;
}

static int xenwatch_thread(void *unused)
{
	struct fired *event;

	while (!kthread_should_stop()) {
		wait_event_interruptible(watch_wait, !list_empty(&fired) ||
					 kthread_should_stop());
		do {
			mutex_lock(&xenwatch_mutex);
			event = next_fired();
			if (event)
				event->watch->callback(event->watch,
						       event->path, "");
			kfree(event);
			mutex_unlock(&xenwatch_mutex);
		} while (event);
		wake_up_all(&fake_store_wait);
	}
	return 0;
}

int fake_register_watch(struct xenbus_watch *watch)
{
	if (fake_fails())
		return -ENOMEM;
	spin_lock(&watch_lock);
	watch->nr_pending = 0;
	list_add(&watch->list, &watches);
	fire(watch, watch->node);
	spin_unlock(&watch_lock);
	return 0;
}
EXPORT_SYMBOL_GPL(fake_register_watch);

void fake_unregister_watch(struct xenbus_watch *watch)
{
	struct fired *event, *next;

	spin_lock(&watch_lock);
	list_del(&watch->list);
	list_for_each_entry_safe(event, next, &fired, list)
		if (event->watch == watch) {
			list_del(&event->list);
			kfree(event);
		}
	watch->nr_pending = 0;
	spin_unlock(&watch_lock);
	/* One that runs is waited for, unless it is us. */
	if (current != xenwatch) {
		mutex_lock(&xenwatch_mutex);
		mutex_unlock(&xenwatch_mutex);
	}
}
EXPORT_SYMBOL_GPL(fake_unregister_watch);

static bool watches_are_done(void)
{
	bool done;

	spin_lock(&watch_lock);
	done = list_empty(&fired) && !xenwatch_busy;
	spin_unlock(&watch_lock);
	return done;
}

void fake_watches_wait(void)
{
	wait_event(fake_store_wait, watches_are_done());
}
EXPORT_SYMBOL_GPL(fake_watches_wait);

int fake_printf(struct xenbus_transaction t, const char *dir,
		const char *name, const char *fmt, ...)
{
	char *path, *value;
	struct entry *node;
	va_list args;

	if (fails(t))
		return -ENOSPC;
	if (t.id == DOOMED)
		return 0;
	path = join(dir, name);
	va_start(args, fmt);
	value = kvasprintf(GFP_KERNEL | __GFP_NOFAIL, fmt, args);
	va_end(args);

	mutex_lock(&store_lock);
	node = find(path);
	if (!node) {
		node = kzalloc(sizeof(*node) + strlen(path) + 1,
			       GFP_KERNEL | __GFP_NOFAIL);
		strcpy(node->path, path);
		list_add(&node->list, &nodes);
	}
	kfree(node->value);
	node->value = value;
	mutex_unlock(&store_lock);
	fire_all(path, false);
	kfree(path);
	return 0;
}
EXPORT_SYMBOL_GPL(fake_printf);

void *fake_read(struct xenbus_transaction t, const char *dir,
		const char *name, unsigned int *len)
{
	char *path = join(dir, name), *value = NULL;
	struct entry *node;

	mutex_lock(&store_lock);
	node = find(path);
	if (node)
		value = kstrdup(node->value, GFP_KERNEL | __GFP_NOFAIL);
	mutex_unlock(&store_lock);
	kfree(path);
	if (value && fails(t)) {
		kfree(value);
		return ERR_PTR(-EIO);
	}
	if (value && len)
		*len = strlen(value);
	return value ? value : ERR_PTR(-ENOENT);
}
EXPORT_SYMBOL_GPL(fake_read);

int fake_scanf(struct xenbus_transaction t, const char *dir, const char *node,
	       const char *fmt, ...)
{
	char *value = fake_read(t, dir, node, NULL);
	va_list args;
	int got;

	if (IS_ERR(value))
		return PTR_ERR(value);
	va_start(args, fmt);
	got = vsscanf(value, fmt, args);
	va_end(args);
	kfree(value);
	return got ? got : -ERANGE;
}
EXPORT_SYMBOL_GPL(fake_scanf);

int fake_exists(struct xenbus_transaction t, const char *dir, const char *name)
{
	char *path = join(dir, name);
	struct entry *node;
	int there = 0;

	mutex_lock(&store_lock);
	list_for_each_entry(node, &nodes, list)
		there |= is_below(node->path, path);
	mutex_unlock(&store_lock);
	kfree(path);
	return there;
}
EXPORT_SYMBOL_GPL(fake_exists);

int fake_rm(struct xenbus_transaction t, const char *dir, const char *name)
{
	char *path = join(dir, name);
	struct entry *node, *next;
	int err = -ENOENT;

	mutex_lock(&store_lock);
	list_for_each_entry_safe(node, next, &nodes, list)
		if (is_below(node->path, path)) {
			list_del(&node->list);
			kfree(node->value);
			kfree(node);
			err = 0;
		}
	mutex_unlock(&store_lock);
	fire_all(path, true);
	kfree(path);
	return err;
}
EXPORT_SYMBOL_GPL(fake_rm);

/* Each fourth is to be done again, as where others write at the same time. */
int fake_transaction_start(struct xenbus_transaction *t)
{
	static atomic_t count;

	t->id = atomic_inc_return(&count) % 4 ? 1 : DOOMED;
	return fake_fails() ? -EIO : 0;
}
EXPORT_SYMBOL_GPL(fake_transaction_start);

int fake_transaction_end(struct xenbus_transaction t, bool abort)
{
	return !abort && t.id == DOOMED ? -EAGAIN : 0;
}
EXPORT_SYMBOL_GPL(fake_transaction_end);

int fake_store_init(void)
{
	xenwatch = kthread_run(xenwatch_thread, NULL, "fake-xenwatch");
	return PTR_ERR_OR_ZERO(xenwatch);
}

void fake_store_exit(void)
{
	struct entry *node, *next;

	kthread_stop(xenwatch);
	list_for_each_entry_safe(node, next, &nodes, list) {
		kfree(node->value);
		kfree(node);
	}
}
