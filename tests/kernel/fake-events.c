// SPDX-License-Identifier: GPL-2.0-only
/*
 * Event channels, as interrupts of a chip that does nothing.  They come in
 * hard interrupt context, by irq_work, and stay masked until the late EOI.
 */
#include <linux/irq.h>
#include <linux/irq_work.h>
#include <linux/module.h>
#include <xen/interface/event_channel.h>

#define FAKE_XEN
#include "fake-xen.h"

#define PORTS		64
/* What Xen's Linux lets a spurious event wait, or thereabouts. */
#define SPURIOUS_DELAY	2

struct port {
	bool used;
	bool bound;		/* it has a handler */
	bool peer;		/* the peer has bound its end */
	bool pending;
	bool masked;
	unsigned int irq;
	unsigned long notified;
	unsigned long spurious;
	unsigned long looked;
	struct irq_work work;
	struct delayed_work unmask;
};

static struct port ports[PORTS];
static DEFINE_SPINLOCK(ports_lock);

static void deliver(struct port *port)
{
	lockdep_assert_held(&ports_lock);
	if (!port->bound || !port->pending || port->masked)
		return;
	port->pending = false;
	port->masked = true;
	irq_work_queue(&port->work);
}

static void port_irq(struct irq_work *work)
{
	struct port *port = container_of(work, struct port, work);

	generic_handle_irq(port->irq);
}

static void port_unmask(struct work_struct *work)
{
	struct port *port = container_of(to_delayed_work(work), struct port,
					 unmask);
	unsigned long flags;

	spin_lock_irqsave(&ports_lock, flags);
	port->masked = false;
	deliver(port);
	spin_unlock_irqrestore(&ports_lock, flags);
}

static struct port *port_by_irq(unsigned int irq)
{
	unsigned int i;

	for (i = 1; i < PORTS; i++)
		if (ports[i].bound && ports[i].irq == irq)
			return &ports[i];
	return NULL;
}

/* A new port, or -ENOSPC. */
static int port_new(bool peer)
{
	unsigned long flags;
	int i, found = -ENOSPC;

	if (fake_fails())
		return -ENOSPC;
	spin_lock_irqsave(&ports_lock, flags);
	for (i = 1; i < PORTS && found < 0; i++) {
		if (ports[i].used)
			continue;
		memset(&ports[i], 0, sizeof(ports[i]));
		init_irq_work(&ports[i].work, port_irq);
		INIT_DELAYED_WORK(&ports[i].unmask, port_unmask);
		ports[i].used = true;
		ports[i].peer = peer;
		found = i;
	}
	spin_unlock_irqrestore(&ports_lock, flags);
	return found;
}

int fake_alloc_evtchn(struct xenbus_device *dev, evtchn_port_t *port)
{
	int rc = port_new(false);

	if (rc < 0)
		return rc;
	*port = rc;
	return 0;
}
EXPORT_SYMBOL_GPL(fake_alloc_evtchn);

int fake_free_evtchn(struct xenbus_device *dev, evtchn_port_t port)
{
	if (!port || port >= PORTS || !ports[port].used)
		fake_fault("closes a port that is not open");
	else
		ports[port].used = false;
	return 0;
}
EXPORT_SYMBOL_GPL(fake_free_evtchn);

int fake_event_channel_op(int cmd, void *arg)
{
	struct evtchn_bind_interdomain *bind = arg;
	struct evtchn_status *status = arg;
	int port;

	switch (cmd) {
	case EVTCHNOP_bind_interdomain:
		/* The peer's ports are numbered from 1000. */
		if (bind->remote_dom != FAKE_PEER || bind->remote_port < 1000)
			return -EINVAL;
		port = port_new(true);
		if (port < 0)
			return port;
		bind->local_port = port;
		return 0;
	case EVTCHNOP_status:
		if (status->port >= PORTS || !ports[status->port].used)
			return -EINVAL;
		ports[status->port].looked++;
		status->status = ports[status->port].peer ?
			EVTCHNSTAT_interdomain : EVTCHNSTAT_unbound;
		return 0;
	}
	return -EOPNOTSUPP;
}
EXPORT_SYMBOL_GPL(fake_event_channel_op);

int fake_bind_irqhandler(evtchn_port_t number, irq_handler_t handler,
			 unsigned long irqflags, const char *name, void *dev_id)
{
	struct port *port = &ports[number];
	unsigned long flags;
	int irq, err;

	if (fake_fails())
		return -ENOMEM;
	irq = irq_alloc_desc(NUMA_NO_NODE);
	if (irq < 0)
		return irq;
	irq_set_chip_and_handler(irq, &dummy_irq_chip, handle_simple_irq);
	irq_modify_status(irq, IRQ_NOREQUEST, 0);
	err = request_irq(irq, handler, irqflags, name, dev_id);
	if (err) {
		irq_free_desc(irq);
		return err;
	}
	/* Xen raises the first event itself. */
	spin_lock_irqsave(&ports_lock, flags);
	port->irq = irq;
	port->bound = true;
	port->pending = true;
	deliver(port);
	spin_unlock_irqrestore(&ports_lock, flags);
	return irq;
}
EXPORT_SYMBOL_GPL(fake_bind_irqhandler);

void fake_unbind_irqhandler(unsigned int irq, void *dev_id)
{
	struct port *port = port_by_irq(irq);
	unsigned long flags;

	if (!port)
		return fake_fault("unbinds what is not bound");
	spin_lock_irqsave(&ports_lock, flags);
	port->bound = false;
	port->used = false;
	spin_unlock_irqrestore(&ports_lock, flags);
	cancel_delayed_work_sync(&port->unmask);
	irq_work_sync(&port->work);
	free_irq(irq, dev_id);
	irq_free_desc(irq);
}
EXPORT_SYMBOL_GPL(fake_unbind_irqhandler);

void fake_lateeoi(unsigned int irq, unsigned int eoi)
{
	struct port *port = port_by_irq(irq);
	unsigned long flags;

	if (!port || !port->masked)
		return fake_fault("ends an event that is not there");
	spin_lock_irqsave(&ports_lock, flags);
	if (eoi & XEN_EOI_FLAG_SPURIOUS) {
		port->spurious++;
		schedule_delayed_work(&port->unmask, SPURIOUS_DELAY);
	} else {
		port->masked = false;
		deliver(port);
	}
	spin_unlock_irqrestore(&ports_lock, flags);
}
EXPORT_SYMBOL_GPL(fake_lateeoi);

void fake_notify(int irq)
{
	struct port *port = port_by_irq(irq);

	if (!port)
		return fake_fault("notifies by what is not bound");
	WRITE_ONCE(port->notified, port->notified + 1);
}
EXPORT_SYMBOL_GPL(fake_notify);

void fake_event(evtchn_port_t number)
{
	unsigned long flags;

	spin_lock_irqsave(&ports_lock, flags);
	ports[number].pending = true;
	deliver(&ports[number]);
	spin_unlock_irqrestore(&ports_lock, flags);
}
EXPORT_SYMBOL_GPL(fake_event);

void fake_event_peer(evtchn_port_t number, bool there)
{
	WRITE_ONCE(ports[number].peer, there);
}
EXPORT_SYMBOL_GPL(fake_event_peer);

bool fake_event_is_masked(evtchn_port_t number)
{
	return READ_ONCE(ports[number].masked);
}
EXPORT_SYMBOL_GPL(fake_event_is_masked);

unsigned long fake_event_notified(evtchn_port_t number)
{
	return READ_ONCE(ports[number].notified);
}
EXPORT_SYMBOL_GPL(fake_event_notified);

unsigned long fake_event_spurious(evtchn_port_t number)
{
	return READ_ONCE(ports[number].spurious);
}
EXPORT_SYMBOL_GPL(fake_event_spurious);

unsigned long fake_event_looked(evtchn_port_t number)
{
	return READ_ONCE(ports[number].looked);
}
EXPORT_SYMBOL_GPL(fake_event_looked);

unsigned int fake_events_held(void)
{
	unsigned int i, held = 0;

	for (i = 1; i < PORTS; i++)
		held += ports[i].used;
	return held;
}
